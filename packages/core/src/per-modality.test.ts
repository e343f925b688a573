import { expect, it } from 'vitest';
import { perModality } from './per-modality.js';

it('perModality gives one value for each modality, in the order given', () => {
  const lengths = perModality(['video', 'audio', 'text'], (modality) => modality.length);
  expect(Object.entries(lengths)).toEqual([
    ['video', 5],
    ['audio', 5],
    ['text', 4],
  ]);
});
