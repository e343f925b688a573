import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../../../fixtures/temporary-group.js';
import type { SyntheticOptions } from '../../../fixtures/synthetic-run-group.js';
import { groupFindings } from './group-findings.js';

/** Sentences with plain spaces. */
function say(options: SyntheticOptions = {}): { headline: string; text: string } {
  const { headline, points } = groupFindings(temporaryGroup({ testSamples: 2000, ...options }));
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
  return {
    headline: plain(headline),
    text: plain(points.map(({ title, text }) => `${title}: ${text}`).join('\n')),
  };
}

describe('groupFindings', () => {
  it('says by how much G2D leads', () => {
    expect(say().headline).toBe(
      'G2D is right on 84.3 % of the test samples, 25.4 points more than joint training (58.9 %). The next best, SMP only, reaches 79.3 %.',
    );
  });

  it('says who is neglected, what it costs, and what the teachers do without joint training', () => {
    const { text } = say();
    expect(text).toContain('Joint training neglects image: Its image head ends at 21.1 %.');
    expect(text).toContain('reaches 75.4 %: 54.3 points are left unused');
    expect(text).toContain('audio ends at 37.8 %, 20.7 points below its teacher (58.5 %)');
    expect(text).toContain('gives up 15.8 points of audio');
    expect(text).toContain('already gives 81.4 %. G2D is 2.9 points above that.');
    expect(text).toContain('One seed (0), 2,000 test samples');
  });

  it('admits that another method is better', () => {
    const { headline } = say({ accuracies: { smp: { fused: 90 } } });
    expect(headline).toContain('It is not the best here: SMP only reaches 90.0 %, 5.7 points more.');
  });

  it('admits that a lead can be chance', () => {
    const { headline } = say({ accuracies: { smp: { fused: 84 } } });
    expect(headline).toContain(
      'does not stand out here: SMP only reaches 84.0 %, and a difference of 0.3 points can be chance',
    );
  });

  it('does not call a difference of 0 chance', () => {
    const { headline } = say({
      accuracies: { smp: { fused: 90 }, joint: { fused: 90 }, g2d: { fused: 90 } },
    });
    expect(headline).toMatch(/^G2D is right on 90.0 % of the test samples, as many as with joint training\./);
    expect(headline).toMatch(/ It does not stand out here: SMP only is equally good\.$/);
  });

  it('does not say that 100 % of 48 samples are sure', () => {
    // 100 / (2 · 48) / (1 + 1/48) = 1.02.
    const { text } = say({ testSamples: 48, methods: ['g2d'], accuracies: { g2d: { fused: 100 } } });
    expect(text).toContain('an accuracy near 100.0 % has a sampling error of ±1.0 points');
  });

  it('admits that G2D is worse than joint training and than the teachers', () => {
    const { headline } = say({ methods: ['joint', 'g2d'], accuracies: { g2d: { fused: 50 } } });
    expect(headline).toBe(
      'G2D is right on 50.0 % of the test samples, 8.9 points fewer than joint training (58.9 %). Averaging the teachers, without any joint training, does better: 81.4 %.',
    );
  });

  it('finds no imbalance where there is none', () => {
    const { text } = say({ accuracies: { joint: { fused: 90, audio: 58, image: 74 } } });
    expect(text).toContain('Little imbalance in joint training');
  });

  it('works without G2D, without joint training and without students', () => {
    expect(say({ methods: ['joint', 'smp'] }).headline).toContain('SMP only is right on 79.3 %');
    expect(say({ methods: ['g2d'] }).headline).toBe('G2D is right on 84.3 % of the test samples.');
    expect(say({ methods: [] }).headline).toContain('no finished student');
  });
});
