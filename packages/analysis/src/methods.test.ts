import { describe, expect, it } from 'vitest';
import { methodRank, methodWords, nameWithoutSeed, rankAmong, runLabel, wordsAmong } from './methods.js';
import type { RunConfig } from './run.js';

describe('methods', () => {
  it('puts unknown methods after G2D and the reference last', () => {
    const order = ['teacher-mean', './mine.js', 'g2d', 'joint', 'ogm-ge'].sort(
      (a, b) => rankAmong([], a) - rankAmong([], b),
    );
    expect(order).toEqual(['joint', 'ogm-ge', 'g2d', './mine.js', 'teacher-mean']);
  });

  it('has the order that the folders record, whatever the names', () => {
    const of = (method: string, ...orders: (number | undefined)[]) => {
      const facts = orders.map((order) => ({
        name: 'x',
        label: 'X',
        summary: 'x',
        ...(order !== undefined && { order }),
      }));
      return { method, components: { method: facts } };
    };
    const runs = [
      of('./mine.js', undefined),
      of('g2d', 0),
      of('umt+new', 12.01),
      of('new', 12),
      of('joint', 13),
      of('newest', 99),
    ];
    expect(runs.sort((a, b) => methodRank(a) - methodRank(b)).map(({ method }) => method)).toEqual([
      'g2d',
      'new',
      'umt+new',
      'joint',
      'newest',
      './mine.js',
    ]);
  });

  it('calls an unknown method by its own name', () => {
    expect(methodWords('./mine.js')).toEqual({ label: './mine.js', description: '' });
  });

  it('names stacks of methods, and knows those that have a name of their own', () => {
    expect(methodWords('umt+smp').label).toBe('UMT + SMP');
    expect(methodWords('ogm-ge+smp').label).toBe('OGM-GE + SMP');
    expect(methodWords('g2d-loss+smp').label).toBe('G2D');
    expect(methodRank({ method: 'joint+smp' })).toBe(methodRank({ method: 'smp' }));
  });
});

describe('nameWithoutSeed', () => {
  it.each([
    ['g2d-seed3', 'g2d'],
    ['g2d-3', 'g2d'],
    ['g2d_s3', 'g2d'],
    ['seed=3/g2d', '/g2d'],
    // 3 is only a part of these.
    ['g2d-seed31', 'g2d-seed31'],
    ['resnet3', 'resnet3'],
    ['3', '3'],
  ])('of %s with seed 3 is %s', (name, expected) => {
    expect(nameWithoutSeed({ name, seed: 3 })).toBe(expected);
  });
});

describe('runLabel', () => {
  const config = (part: Partial<RunConfig>): RunConfig =>
    ({
      kind: 'student',
      modalities: ['audio', 'image'],
      method: 'g2d',
      name: 'g2d',
      seed: 1,
      ...part,
    }) as RunConfig;

  it('is the name that somebody gave, else what the folder calls the method, or the modality of a teacher', () => {
    expect(runLabel(config({}))).toBe('G2D');
    expect(runLabel(config({ name: 'g2d-seed1' }))).toBe('G2D');
    const calm = { method: [{ name: 'calm', label: 'Calm logits', summary: 'large logits cost something' }] };
    expect(runLabel(config({ method: './calm.js', name: './calm.js', components: calm }))).toBe(
      'Calm logits',
    );
    const named = config({ method: 'calm', name: 'calm-1', components: calm });
    expect(wordsAmong([{ config: named }], 'calm')).toEqual({
      label: 'Calm logits',
      description: 'large logits cost something',
    });
    expect(wordsAmong([], 'calm').label).toBe('calm');
    expect(runLabel(config({ name: 'my best' }))).toBe('my best');
    const components = { method: [{ name: 'mine', label: 'Mine', summary: 'does it my way' }] };
    expect(runLabel(config({ method: './mine.js', name: './mine.js' }))).toBe('./mine.js');
    expect(runLabel(config({ method: './mine.js', name: './mine.js', components }))).toBe('Mine');
    expect(runLabel(config({ method: './mine.js', name: 'my best', components }))).toBe('my best');
    const teacher = { kind: 'teacher', modalities: ['audio'], method: 'joint' } as const;
    expect(runLabel(config({ ...teacher, name: 'teacher-audio' }))).toBe('Teacher of audio');
    expect(runLabel(config({ ...teacher, name: 'wide' }))).toBe('wide');
  });
});
