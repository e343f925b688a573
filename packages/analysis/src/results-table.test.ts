import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../fixtures/temporary-group.js';
import { readRunGroup } from './read-run-group.js';
import { resultsTable } from './results-table.js';

describe('resultsTable', () => {
  it('has the teachers, the methods in order and the reference, with gains over joint training', () => {
    const rows = resultsTable(temporaryGroup());
    expect(rows.map(({ method }) => method)).toEqual([
      'teachers',
      'joint',
      'smp',
      'g2d-loss',
      'g2d',
      'teacher-mean',
    ]);
    expect(rows[0]).toMatchObject({ kind: 'teachers', perModality: { audio: 58.5, image: 75.4 } });
    expect(rows[1]).toMatchObject({ fused: 58.9, perModality: { audio: 53.6, image: 21.1 } });
    expect(rows[1]).not.toHaveProperty('gain');
    expect(rows[4]?.gain).toBeCloseTo(84.3 - 58.9, 10);
    expect(rows[5]).toMatchObject({ kind: 'reference', fused: 81.4, perModality: {} });
  });

  it('has no gains where joint training was not run', () => {
    const rows = resultsTable(temporaryGroup({ methods: ['g2d'] }));
    expect(rows.map(({ method }) => method)).toEqual(['teachers', 'g2d', 'teacher-mean']);
    expect(rows.every((row) => row.gain === undefined)).toBe(true);
  });

  it('has three columns for three modalities', () => {
    const rows = resultsTable(temporaryGroup({ modalities: ['audio', 'image', 'touch'] }));
    expect(rows.find(({ method }) => method === 'joint')?.perModality).toEqual({
      audio: 53.6,
      image: 21.1,
      touch: 31,
    });
  });

  it('takes the teachers from the summary where their folders are gone', () => {
    const { folder } = temporaryGroup();
    rmSync(join(folder, 'teacher-audio'), { recursive: true });
    expect(resultsTable(readRunGroup(folder))[0]?.perModality).toEqual({ audio: 58.5, image: 75.4 });
  });
});
