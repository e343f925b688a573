import { describe, expect, it } from 'vitest';
import { publishedCells } from '../data/paper-values.js';
import { batchBytes, megabytes } from './batch-bytes.js';

describe('batchBytes', () => {
  it('are the published memory of Table 10, to all of its digits', () => {
    const { batch, teachers } = batchBytes('crema-d', 16);
    // By hand: 16 (257 · 188 + 3 · 224 · 224) 4 + 16 · 8, and 2 · 16 (512 + 6) 4.
    expect([batch, teachers]).toEqual([12_726_144, 66_304]);
    const published = publishedCells('table-10').flatMap(({ metric, value }) =>
      metric === 'memory' ? [value] : [],
    );
    expect([megabytes(batch).toFixed(4), megabytes(batch + teachers).toFixed(4)]).toEqual([
      '12.1366',
      '12.1998',
    ]);
    expect(published).toEqual([12.1366, 12.1998]);
  });

  it('grow with the batch', () => {
    const [one, four] = [batchBytes('crema-d', 1), batchBytes('crema-d', 4)];
    expect([four.batch, four.teachers]).toEqual([4 * one.batch, 4 * one.teachers]);
  });
});
