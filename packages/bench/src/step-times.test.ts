import { describe, expect, it } from 'vitest';
import { stepTimes } from './step-times.js';

describe('stepTimes', () => {
  it('sorts by size, and takes the middle of two', () => {
    expect(stepTimes([9, 100, 10, 11])).toEqual({ min: 9, median: 10.5, p95: 100 });
    expect(stepTimes([9, 10, 2])).toEqual({ min: 2, median: 9, p95: 10 });
    expect(stepTimes([4])).toEqual({ min: 4, median: 4, p95: 4 });
  });

  it('leaves 5 of 100 above the 95th percentile', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(stepTimes(hundred).p95).toBe(95);
  });
});
