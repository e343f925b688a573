import { parse } from 'csv-parse/sync';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRun } from '../../read-run.js';
import type { EpochMetrics, Run } from '../../run.js';
import { featureGap } from '../feature-gap.js';
import { figureCsv } from '../figure-csv.js';
import { figureSvg } from '../picture/figure-svg.js';
import { accuracyFigure } from './accuracy-figure.js';
import { alignmentFigure } from './alignment-figure.js';
import { confidenceFigure } from './confidence-figure.js';
import type { FigureData, LinesPanel } from './figure-data.js';
import { gapFigure } from './gap-figure.js';
import { ratioFigure } from './ratio-figure.js';

const fixture = (name: string): Run =>
  readRun(join(import.meta.dirname, '../../../fixtures/run-group', name));
const names = ['joint', 'smp', 'g2d', 'teacher-audio', 'teacher-image'];

/** The same run of another seed, with numbers that are so much higher. */
function ofSeed(run: Run, seed: number, by = 0): Run {
  const higher = (scores: Readonly<Record<string, number>> | undefined) =>
    scores && Object.fromEntries(Object.entries(scores).map(([head, score]) => [head, score + by]));
  return {
    ...run,
    config: { ...run.config, seed },
    metrics: run.metrics.map((epoch) => ({
      ...epoch,
      ...(epoch.test && { test: higher(epoch.test) as Record<string, number> }),
    })),
    summary: { ...run.summary, seed, test: higher(run.summary.test) as Record<string, number> },
  };
}

const values = (figure: FigureData, quantity: string) =>
  figure.values.filter((value) => value.quantity === quantity);

describe('accuracyFigure', () => {
  const runs = names.map(fixture);
  // Of the second seed everything is 2 points better but joint training, which is 4.
  const second = runs.map((run) =>
    ofSeed(run, 7, run.config.method === 'joint' && run.config.kind === 'student' ? 4 : 2),
  );

  it('has the heads of each modality next to its teacher, and the fused results', () => {
    const { panels, notes } = accuracyFigure({ dataset: 'synthetic', runs });
    const lines = panels as readonly LinesPanel[];
    expect(lines.map(({ title, series }) => [title, ...series.map(({ name }) => name)])).toEqual([
      ['audio', 'teacher', 'joint training', 'G2D'],
      ['image', 'teacher', 'joint training', 'G2D'],
      ['fused', 'joint training', 'G2D'],
    ]);
    const g2d = fixture('g2d');
    const evaluated = g2d.metrics.filter(({ test }) => test);
    expect(lines[2]!.series[1]!.points).toEqual(evaluated.map(({ epoch, test }) => [epoch, test!['fused']]));
    // After the three epochs of its first phase; where its epoch was selected.
    expect(lines[0]!.verticals).toEqual([{ x: 3, label: 'joint phase' }]);
    const { selectedEpoch } = g2d.summary;
    expect(lines[2]!.series[1]!.marks).toEqual([
      [selectedEpoch, g2d.metrics[selectedEpoch! - 1]!.test!['fused']],
    ]);
    expect(notes.join()).toContain('about image, of which');
  });

  it('is the mean over seeds, with a standard deviation to either side', () => {
    const figure = accuracyFigure({ dataset: 'synthetic', runs: [...runs, ...second] });
    const [, , fused] = figure.panels as readonly LinesPanel[];
    const [epoch, value] = fused!.series[1]!.points[0]!;
    const first = fixture('g2d').metrics.find((record) => record.epoch === epoch)!.test!['fused']!;
    expect(value).toBeCloseTo(first + 1, 10);
    // Two values, 2 apart: √2.
    const [, low, high] = fused!.series[1]!.band![0]!;
    expect(value - low).toBeCloseTo(Math.SQRT2, 10);
    expect(high - value).toBeCloseTo(Math.SQRT2, 10);
  });

  it('has what the paper claims as differences seed by seed', () => {
    const { claims } = accuracyFigure({ dataset: 'synthetic', runs: [...second, ...runs] });
    const claim = (id: string, word: string) =>
      claims.find((one) => one.id === id && one.words.startsWith(word))!;
    // Of summary.json: image 75 alone, 20 in joint training, 60 in G2D; audio 60, 55, 40; fused 60 and 85.
    expect(claim('F1.1', 'image: teacher').values).toEqual([{ seed: 0, value: 55 }, { seed: 7, value: 53 }]); // prettier-ignore
    expect(claim('F1.1', 'image: G2D').values).toEqual([{ seed: 0, value: 40 }, { seed: 7, value: 38 }]); // prettier-ignore
    expect(claim('F1.2', 'audio: |joint').values).toEqual([{ seed: 0, value: 5 }, { seed: 7, value: 3 }]); // prettier-ignore
    expect(claim('F1.2', 'audio: |G2D')).toMatchObject({
      kind: 'at most',
      limit: 3,
      values: [{ value: 20 }, { value: 20 }],
    });
    expect(claim('F1.3', 'fused: G2D').values.map(({ value }) => value)).toEqual([10, 10]);
    expect(claim('F1.3', 'fused: joint')).toMatchObject({
      kind: 'below',
      values: [{ value: -15 }, { value: -13 }],
    });
  });

  it('takes the validation split where the test split was not evaluated, and says so', () => {
    const without = runs.map((run) => ({
      ...run,
      metrics: run.metrics.map((epoch): EpochMetrics => {
        const { test: _, ...rest } = epoch;
        return rest;
      }),
    }));
    const { panels, notes } = accuracyFigure({ dataset: 'synthetic', runs: without });
    expect((panels[0] as LinesPanel).y.label).toBe('accuracy on validation, %');
    expect(notes[0]).toMatch(/^The lines are of the validation split/);
  });

  it('leaves out a seed that lacks a run, and names it where none is whole', () => {
    const torn = [...runs, ...second.slice(1)];
    expect(
      new Set(accuracyFigure({ dataset: 'synthetic', runs: torn }).values.map(({ seed }) => seed)),
    ).toEqual(new Set([0]));
    const lacking = runs.filter(({ config }) => config.name !== 'teacher-image');
    expect(() => accuracyFigure({ dataset: 'synthetic', runs: lacking })).toThrow(
      'There is no finished run of the teacher of image on synthetic.',
    );
  });
});

describe('confidenceFigure', () => {
  const watched = (seed: number, records: readonly (readonly [audio: number, image: number])[]): Run => ({
    ...ofSeed(fixture('g2d'), seed),
    metrics: records.map(([audio, image], i): EpochMetrics => ({
      epoch: i + 1,
      loss: { total: 1 },
      train: {},
      confidence: { audio, image },
      confidenceLow: { audio: audio - 0.1, image: image - 0.2 },
      confidenceHigh: { audio: audio + 0.1, image: image + 0.2 },
      leastConfident: { audio: 0.25, image: 0.75 },
    })),
  });

  it('has means, ranges and shares by modality', () => {
    const runs = [watched(0, [[0.8, 0.4], [0.6, 0.5]]), watched(1, [[0.6, 0.2], [0.8, 0.5]])]; // prettier-ignore
    const figure = confidenceFigure([{ dataset: 'synthetic', runs }]);
    const [panel] = figure.panels as readonly LinesPanel[];
    const [audio, image] = panel!.series;
    expect(audio!.name).toBe('audio (least confident in 25 % of batches)');
    expect(audio!.points).toEqual([[1, expect.closeTo(0.7, 12)], [2, expect.closeTo(0.7, 12)]]); // prettier-ignore
    expect(image!.band![0]).toEqual([1, expect.closeTo(0.1, 12), expect.closeTo(0.5, 12)]);
    expect(values(figure, 'leastConfident')).toHaveLength(8);
    expect(values(figure, 'confidence')[0]).toMatchObject({
      head: 'audio',
      seed: 0,
      epoch: 1,
      split: 'train',
      value: 0.8,
    });
    expect(figure.claims).toEqual([
      expect.objectContaining({ id: 'F3.1', kind: 'always', values: [{ seed: 0, value: 1 }, { seed: 1, value: 1 }] }), // prettier-ignore
    ]);
  });

  it('says in which share of the epochs the most confident one is first', () => {
    const runs = [watched(0, [[0.8, 0.4], [0.4, 0.5], [0.9, 0.1], [0.5, 0.5]])]; // prettier-ignore
    const { claims } = confidenceFigure([{ dataset: 'synthetic', runs }]);
    // Being as confident as another is not being the most confident.
    expect(claims[0]).toMatchObject({
      words: expect.stringContaining('teacher of audio'),
      values: [{ seed: 0, value: 0.5 }],
    });
  });

  it('says which ranges were not recorded, and refuses runs without SMP', () => {
    const { notes, panels } = confidenceFigure([{ dataset: 'synthetic', runs: [fixture('g2d')] }]);
    expect(notes.at(-1)).toBe('synthetic: the runs recorded no ranges.');
    expect((panels[0] as LinesPanel).series[0]).toMatchObject({ name: 'audio', band: [] });
    expect(() => confidenceFigure([{ dataset: 'synthetic', runs: [fixture('joint')] }])).toThrow(
      'There is no finished run of a method with SMP on synthetic.',
    );
  });
});

describe('gapFigure', () => {
  const features = (gap: number) => ({
    audio: [[1, 0, 0], [1, 0.2, 0], [1, 0, 0.2], [1, 0.1, 0.1]], // prettier-ignore
    image: [[1, gap, 0], [1, gap + 0.2, 0], [1, gap, 0.2], [1, gap, 0]], // prettier-ignore
  });
  const run = (method: string, seed: number, gap: number) => ({
    method,
    seed,
    features: features(gap),
    initial: features(0.5),
  });
  const data = {
    dataset: 'synthetic',
    modalities: ['audio', 'image'] as const,
    ids: ['a', 'b', 'c', 'd'],
    space: 'features' as const,
    runs: [run('joint', 0, 1), run('g2d', 0, 3), run('joint', 1, 1), run('g2d', 1, 0.5), run('g2d', 2, 9)],
  };

  it('puts both runs on one plane, with gaps of the full space', () => {
    const figure = gapFigure([data]);
    const panels = figure.panels as readonly Extract<FigureData['panels'][number], { kind: 'points' }>[];
    expect(panels.map(({ title }) => title)).toEqual(['synthetic, joint training', 'synthetic, G2D']);
    expect(panels[0]!.x).toEqual(panels[1]!.x);
    expect(panels[0]!.y).toEqual(panels[1]!.y);
    const mean = (gaps: number[]): number => gaps.reduce((a, b) => a + b, 0) / gaps.length;
    const gap = ({ audio, image }: ReturnType<typeof features>): number => featureGap(audio, image);
    const gaps = mean([gap(features(3)), gap(features(0.5))]).toFixed(2);
    expect(panels[1]!.caption).toEqual([
      `gap ${gaps} (${gap(features(0.5)).toFixed(2)} at epoch 0)`,
      expect.stringMatching(/^relative gap \d+\.\d\d \(\d+\.\d\d at epoch 0\)$/),
      'gaps: means of 2 seeds',
    ]);
    // Distances between points in the plane are no larger than between rows of length 1.
    const [audio, image] = panels[0]!.clouds;
    expect(audio!.points).toHaveLength(4);
    expect(
      Math.hypot(audio!.points[0]![0] - image!.points[0]![0], audio!.points[0]![1] - image!.points[0]![1]),
    ).toBeCloseTo(Math.hypot(1 - Math.SQRT1_2, Math.SQRT1_2), 1);
    expect(values(figure, 'component1')).toHaveLength(16);
    expect(values(figure, 'featureGap').filter(({ epoch }) => epoch === 0)).toHaveLength(4);
  });

  it('compares the gaps seed by seed, of seeds that both have', () => {
    const { claims } = gapFigure([data]);
    const [joint, high, low] = [1, 3, 0.5].map((gap) => featureGap(features(gap).audio, features(gap).image));
    expect(claims[0]).toMatchObject({
      id: 'F4.1',
      values: [
        { seed: 0, value: high! - joint! },
        { seed: 1, value: low! - joint! },
      ],
    });
  });

  it('says which run or row is missing', () => {
    expect(() => gapFigure([{ ...data, runs: [run('joint', 0, 1)] }])).toThrow(
      'no finished run of g2d on synthetic',
    );
    expect(() => gapFigure([{ ...data, ids: ['a'] }])).toThrow('has 4 rows for 1 samples');
  });
});

describe('alignmentFigure', () => {
  const run = (method: string, seed: number, audio: number, rest: object = {}) => ({
    method,
    seed,
    alignment: { audio: { value: audio, baseline: 0.25 }, image: { value: 0.5, baseline: 0.125 } },
    ...rest,
  });
  const runs = [
    run('joint', 0, 0.5),
    run('g2d', 0, 0.75),
    run('smp', 0, 0.5),
    run('joint', 1, 0.25),
    run('g2d', 1, 0.75),
  ];

  it('has bars by modality and method, next to what other samples come to', () => {
    const figure = alignmentFigure({ dataset: 'synthetic', modalities: ['audio', 'image'], runs });
    const [panel] = figure.panels;
    if (panel?.kind !== 'bars') throw new Error('no bars');
    expect(panel.groups[0]!.bars).toEqual([
      {
        name: 'joint training',
        tone: 'vermilion',
        value: 0.375,
        deviation: expect.closeTo(0.25 * Math.SQRT1_2, 12),
        baseline: 0.25,
      },
      { name: 'G2D', tone: 'blue', value: 0.75, deviation: 0, baseline: 0.25 },
      { name: 'SMP', tone: 'green', value: 0.5, baseline: 0.25 },
    ]);
    expect(figure.claims.map(({ id, values: found }) => [id, found.map(({ value }) => value)])).toEqual([
      ['F5.1', [0.25, 0.5]],
      ['', [0]],
      ['F5.2', [0, 0]],
      ['', [0]],
    ]);
    expect(values(figure, 'alignmentAboveBaseline')[0]!.value).toBe(0.25);
  });

  it('has a line over the checkpoints that were kept', () => {
    const kept = [
      run('joint', 0, 0.1, { epoch: 4 }),
      run('joint', 0, 0.2, { epoch: 8 }),
      run('g2d', 0, 0.4, { epoch: 4 }),
    ];
    const { panels, columns } = alignmentFigure({
      dataset: 'synthetic',
      modalities: ['audio', 'image'],
      runs: [...runs, ...kept],
    });
    expect(panels.map(({ kind }) => kind)).toEqual(['bars', 'lines', 'lines']);
    expect(columns).toBe(3);
    expect((panels[1] as LinesPanel).series[0]!.points).toEqual([[4, 0.1], [8, 0.2]]); // prettier-ignore
  });

  it('refuses to compare with nothing', () => {
    expect(() =>
      alignmentFigure({ dataset: 'synthetic', modalities: ['audio'], runs: [run('g2d', 0, 1)] }),
    ).toThrow('no finished run of joint on synthetic');
  });
});

describe('ratioFigure', () => {
  const run = (method: string, seed: number, audio: number, image: number) => ({
    method,
    seed,
    confidence: { train: { audio, image }, test: { audio: audio / 2, image } },
  });
  const runs = [run('teacher', 0, 0.8, 0.5), run('joint', 0, 0.8, 0.1), run('g2d', 0, 0.6, 0.4)];
  const data = { dataset: 'synthetic', modalities: ['audio', 'image'], runs };

  it('divides by the teacher’s confidence, and marks the weaker modality', () => {
    const figure = ratioFigure([data]);
    expect(figure.panels.map(({ note }) => note)).toEqual(['training split, seed 0', 'test split, seed 0']);
    const [train] = figure.panels;
    if (train?.kind !== 'bars') throw new Error('no bars');
    expect(train.groups.map(({ name, bars }) => [name, bars.map(({ value }) => value)])).toEqual([
      ['audio', [1, expect.closeTo(0.75, 12)]],
      ['image *', [0.2, 0.8]],
    ]);
    expect(figure.claims.map(({ id, values: found }) => [id, found[0]!.value])).toEqual([
      ['F6.1', expect.closeTo(0.6, 12)],
      ['F6.1', expect.closeTo(0.6, 12)],
    ]);
  });

  it('names what it cannot do without', () => {
    expect(() => ratioFigure([{ ...data, runs: runs.slice(1) }])).toThrow(
      'no finished run of teacher on synthetic',
    );
    expect(() => ratioFigure([{ ...data, runs: [run('teacher', 1, 1, 1), ...runs.slice(1)] }])).toThrow(
      'joint, g2d and the teachers of one seed',
    );
  });
});

describe('a figure as files', () => {
  const figure = accuracyFigure({ dataset: 'a "b", <c>', runs: names.map(fixture) });

  it('is a picture that stands alone, with every text escaped', () => {
    const svg = figureSvg(figure);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+/);
    expect(svg).toContain('a &quot;b&quot;, &lt;c&gt;');
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<script|href|class=/);
    expect(svg.match(/<g transform/g)).toHaveLength(3);
  });

  it('is a table with a line for every number', () => {
    const rows = parse(figureCsv(figure), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(figure.values.length);
    expect(Object.keys(rows[0]!)).toEqual([
      'quantity',
      'dataset',
      'method',
      'head',
      'seed',
      'split',
      'epoch',
      'sample',
      'value',
    ]);
    const end = rows.find(({ method, head, epoch }) => method === 'g2d' && head === 'fused' && epoch === '');
    expect(end).toMatchObject({ dataset: 'a "b", <c>', split: 'test', value: '85' });
  });
});
