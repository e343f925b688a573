import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../../fixtures/temporary-group.js';
import type { Run } from '../run.js';
import { accuracyCurves, epochDomain, learningRateDrops, lossCurves, phaseBands } from './curves.js';

const run = (phaseEpochs: number[]): Run => ({ config: { phaseEpochs } }) as unknown as Run;

describe('phaseBands', () => {
  it('covers every phase but the last, from half an epoch before to half an epoch after', () => {
    expect(phaseBands(run([30, 30]))).toEqual([{ from: 0.5, to: 30.5, label: 'one modality first' }]);
    expect(phaseBands(run([10, 5, 20])).map(({ from, to }) => [from, to])).toEqual([
      [0.5, 10.5],
      [10.5, 15.5],
    ]);
    expect(phaseBands(run([0, 20]))).toEqual([]);
  });
});

describe('learningRateDrops', () => {
  it('finds the epoch between the old and the new rate', () => {
    const metrics = [0.05, 0.05, 0.005].map((learningRate, index) => ({
      epoch: index + 1,
      learningRate,
      loss: {},
      train: {},
    }));
    expect(learningRateDrops(metrics)).toEqual([{ x: 2.5, label: 'rate × 0.1' }]);
  });
});

describe('curves', () => {
  it('has one panel per run, on the axis of the longest', () => {
    const group = temporaryGroup({ methods: ['joint', 'g2d'] });
    expect(accuracyCurves(group).markup.match(/<figure>/g)).toHaveLength(4);
    expect(epochDomain(group.runs)).toEqual([0.5, 20.5]);
  });

  it('marks the chosen epoch and the level of each teacher', () => {
    const { markup } = accuracyCurves(temporaryGroup({ methods: ['joint'] }));
    expect(markup).toMatch(/chosen on validation: epoch \d+/);
    expect(markup).toMatch(/audio teacher, validation: \d+\.\d/);
  });

  it('shows the parts of a loss that has several', () => {
    const { markup } = lossCurves(temporaryGroup({ methods: ['g2d'] }));
    for (const part of ['total', 'student', 'feature', 'logit']) expect(markup).toContain(`>${part}</text>`);
    expect(lossCurves(temporaryGroup({ methods: ['joint'] })).markup).not.toContain('>student</text>');
  });
});
