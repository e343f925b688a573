import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../fixtures/plain-run.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { Run } from '../../run.js';
import { comparisonFindings } from './comparison-findings.js';

const SAMPLES = 48;
const run = (method: string, fused: number, more: Record<string, number> = {}, seed = 0): Run =>
  plainRun({
    config: { method, seed },
    summary: { test: { fused, ...more }, confusion: { fused: [[SAMPLES]] } },
  });
const teacher = (modality: string, value: number): Run =>
  plainRun({
    config: { kind: 'teacher', modalities: [modality], name: `teacher-${modality}` },
    summary: { test: { [modality]: value } },
  });

/** Sentences with plain spaces, by title. */
function say(...runs: readonly Run[]): { headline: string; points: Record<string, string> } {
  const { tables, level } = compareRuns(runs);
  const { headline, points } = comparisonFindings(tables[0]!, level);
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
  return {
    headline: plain(headline),
    points: Object.fromEntries(points.map((one) => [one.title, plain(one.text)])),
  };
}

describe('comparisonFindings of equal rows', () => {
  const seven = ['g2d', 'smp', 'umt+smp', 'mla', 'ogm-ge', 'ume', 'joint'];

  it('says that all are equal, and singles none of them out', () => {
    const runs = seven.map((method) => run(method, 100, { audio: 90 }));
    const { headline, points } = say(...runs, teacher('image', 100));
    expect(headline).toBe(
      'All 7 rows are equal: each is right on 100.0 % of the test samples with one seed.',
    );
    expect(Object.keys(points)).toEqual(['Against joint training', 'Against the teachers, each alone']);
    expect(points['Against joint training']).toBe(
      'Joint training is one of the best itself: no row gains anything over it.',
    );
    expect(points['Against the teachers, each alone']).toBe(
      'The best of them, Teacher of image, reaches 100.0 %: no joint model here is better, the best are equal to it.',
    );
  });

  it('has equal rows in the order in which methods are known', () => {
    const table = compareRuns(seven.map((method) => run(method, 100))).tables[0]!;
    expect(table.rows.map(({ method }) => method)).toEqual([
      'joint',
      'ume',
      'ogm-ge',
      'mla',
      'smp',
      'umt+smp',
      'g2d',
    ]);
  });

  it('keeps that order where means differ in their last bits only', () => {
    // 0.1 + 0.2 + 0.3 is 0.6000000000000001 and 0.3 + 0.2 + 0.1 is 0.6.
    const of = (method: string, values: readonly number[]): Run[] =>
      values.map((value, seed) => run(method, value, {}, seed));
    const runs = [...of('joint', [0.1, 0.2, 0.3]), ...of('g2d', [0.3, 0.2, 0.1])];
    expect(compareRuns(runs).tables[0]!.rows.map(({ method }) => method)).toEqual(['joint', 'g2d']);
    expect(say(...runs).headline).toMatch(
      /^All 2 rows are equal: Joint training and G2D are each right on 0.2 %/,
    );
  });

  it('names the equal ones and the next best, and what each of them gains and costs', () => {
    const { headline, points } = say(
      run('joint', 50, { audio: 60, image: 40 }),
      run('smp', 75, { audio: 50, image: 70 }),
      run('g2d', 75, { audio: 45, image: 30 }),
      teacher('image', 70),
    );
    // 48 samples: 7.14 points at 50 % and 6.19 at 75 %, 9.45 together, 18.9 twice: 25 are more.
    expect(headline).toBe(
      '2 of 3 rows are equally good: SMP only and G2D are each right on 75.0 % of the test samples with one seed. The next best, Joint training, reaches 50.0 %.',
    );
    expect(points['Against joint training']).toBe(
      'Over Joint training: 25.0 points gained by each of the 2 best.',
    );
    expect(points['Within noise']).toMatch(/^Rows that are not equal are told apart from the next one\./);
    expect(points['Against the teachers, each alone']).toContain(
      'each of the 2 best rows is 5.0 points ahead of it',
    );
    expect(points['What the best rows cost']).toBe(
      'SMP only gives up 10.0 points of audio against Joint training; G2D gives up 15.0 points of audio and 10.0 points of image against Joint training: those heads alone are worse than there.',
    );
  });

  it('names the methods that are behind joint training', () => {
    const { points } = say(run('joint', 70), run('smp', 75), run('g2d', 68), run('mla', 60));
    expect(points['Against joint training']).toBe(
      'Over Joint training: 5.0 points gained. Behind it: MLA (10.0 points) and G2D (2.0 points).',
    );
    expect(say(run('joint', 70), run('g2d', 68)).points['Against joint training']).toBe(
      'No row gains anything over it. Behind it: G2D (2.0 points).',
    );
  });

  it('lists as chance only differences that there are', () => {
    const { headline, points } = say(run('joint', 70), run('smp', 75), run('g2d', 75));
    // 6.6 and 6.2 points: 9.05 together, 18.1 twice.
    expect(headline).toContain(
      'They are not told apart from Joint training (70.0 %): a difference of 5.0 points',
    );
    expect(points['Within noise']).toMatch(
      /^The order of these neighbours can be chance: Joint training and SMP only \(5.0 points\)\. Where/,
    );
  });
});
