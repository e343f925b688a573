import { describe, expect, it } from 'vitest';
import type { EpochMetrics } from '../run.js';
import { headsOf } from './heads.js';
import { scheduleStrips, stretches } from './schedule.js';

const metrics = [0, 0, 0.25, 1].map((audio, index): EpochMetrics => ({
  epoch: index + 1,
  loss: {},
  train: {},
  coefficients: { audio, image: 1 },
}));

describe('stretches', () => {
  it('joins neighbours with the same κ', () => {
    expect(stretches(metrics, 'audio')).toEqual([
      { from: 1, to: 2, coefficient: 0 },
      { from: 3, to: 3, coefficient: 0.25 },
      { from: 4, to: 4, coefficient: 1 },
    ]);
    expect(stretches(metrics, 'image')).toEqual([{ from: 1, to: 4, coefficient: 1 }]);
    expect(stretches(metrics, 'touch')).toEqual([]);
  });
});

describe('scheduleStrips', () => {
  it('fills the strip in proportion to epochs and κ', () => {
    const { markup } = scheduleStrips(metrics, headsOf(['audio', 'image']).slice(1), 4);
    expect(markup).toContain('audio, epochs 1 to 2: κ = 0 (suppressed)');
    expect(markup).toContain('class="fill" x="0%" y="1" width="50%" height="20" fill-opacity="0"');
    expect(markup).toContain('class="fill" x="50%" y="1" width="25%" height="20" fill-opacity="0.25"');
    expect(markup).toContain('class="fill" x="0%" y="1" width="100%" height="20" fill-opacity="1"');
  });
});
