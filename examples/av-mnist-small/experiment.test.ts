import { describe, expect, it } from 'vitest';
import { confidenceWarning } from './experiment.js';

describe('confidenceWarning', () => {
  it('warns where the teachers’ confidences are within 0.05 of each other', () => {
    expect(confidenceWarning({ audio: 0.61, image: 0.6 })).toMatch(
      /audio 0\.610, image 0\.600.*flip from batch to batch/,
    );
    expect(confidenceWarning({ audio: 0.56, image: 0.6 })).toBeDefined();
    expect(confidenceWarning({ audio: 0.999, image: 0.74 })).toBeUndefined();
  });
});
