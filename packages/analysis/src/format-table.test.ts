import { describe, expect, it } from 'vitest';
import { formatTable } from './format-table.js';
import type { ResultsRow } from './results-table.js';

const rows: ResultsRow[] = [
  { method: 'teachers', label: 'Teachers', kind: 'teachers', perModality: { audio: 58.5, image: 75.4 } },
  {
    method: 'joint',
    label: 'Joint',
    kind: 'student',
    fused: 58.9,
    perModality: { audio: 53.6, image: 21.1 },
  },
  { method: 'g2d', label: 'G2D', kind: 'student', fused: 8.04, perModality: { audio: 1 }, gain: -50.86 },
];

describe('formatTable', () => {
  it('aligns numbers to the right and marks what is absent', () => {
    expect(formatTable(rows).split('\n')).toEqual([
      'test accuracy, %  fused  audio  image  vs joint',
      '───────────────────────────────────────────────',
      'Teachers              –   58.5   75.4         –',
      'Joint              58.9   53.6   21.1         –',
      'G2D                 8.0    1.0      –     −50.9',
    ]);
  });
});
