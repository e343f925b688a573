import { describe, expect, it } from 'vitest';
import { syntheticSamples } from '../../fixtures/synthetic-samples.js';
import { temporaryGroup } from '../../fixtures/temporary-group.js';
import { samplesSection } from './samples.js';

/** Cells of the row of a method in the first card. */
function answers(markup: string, label: string): string[] {
  const row = markup.match(new RegExp(`<th scope="row">${label}</th>(.*?)</tr>`))?.[1] ?? '';
  return [...row.matchAll(/<td class="(\w+)">(.*?)<\/td>/g)].map(
    ([, kind, cell]) => `${kind} ${cell?.replaceAll(/<[^>]*>/g, '')}`,
  );
}

describe('samplesSection', () => {
  it('marks predictions as right and wrong', () => {
    const group = temporaryGroup({ methods: ['joint'] });
    const run = group.runs.find(({ name }) => name === 'joint')!;
    const predictions = { fused: [0], audio: [2], image: [0] };
    const joint = {
      ...run,
      predictions: { ...run.predictions!, ids: ['test-0000'], labels: [0], predictions },
    };
    const { markup } = samplesSection({ ...group, runs: [joint] }, syntheticSamples(1, 4));
    expect(answers(markup, 'Joint training')).toEqual(['right ✓ 0', 'wrong ✗ 2', 'right ✓ 0']);
  });

  it('puts the teachers into one row, and a dash where there is no prediction', () => {
    const group = temporaryGroup({ methods: ['joint'] });
    const [sample] = syntheticSamples(1, 4);
    const teachers = answers(samplesSection(group, [sample!]).markup, 'Teachers');
    expect(teachers[0]).toBe('none –');
    expect(teachers.slice(1).join()).toMatch(/(right ✓|wrong ✗) \d,(right ✓|wrong ✗) \d/);
    expect(answers(samplesSection(group, [{ ...sample!, id: 'unknown' }]).markup, 'Joint training')).toEqual([
      'none –',
      'none –',
      'none –',
    ]);
  });
});
