// Whether rows were trained alike, and what each of them took: from run folders.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { SyntheticRunOptions } from '../../fixtures/synthetic-run.js';
import { temporaryRunFolder } from '../../fixtures/temporary-group.js';
import { compareRuns, formatComparison, readRun, renderComparison, type ComparisonTable } from '../index.js';

interface Own extends SyntheticRunOptions {
  /** Of encoders forward, backward and of teachers, in steps. */
  readonly passes?: readonly [forward: number, backward: number, teachers?: number];
  readonly seconds?: number;
  /** Epochs that were trained, where there are fewer than were asked for. */
  readonly trained?: number;
  readonly components?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly copies?: Readonly<Record<string, string>>;
}

const edit = (path: string, change: (json: Record<string, unknown>) => object): void =>
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));

const settings = {
  epochs: 6,
  batchSize: 64,
  fusion: { type: 'late' },
  optimizer: { type: 'sgd', learningRate: 0.05 },
};
const split = (name: string) => ({
  size: 100,
  classNames: ['0', '1', '2', '3'],
  ids: name,
  firstIds: [],
  labels: { count: 100, sha256: name },
  contents: {},
});

/** A run folder, made by hand. */
function folder({ passes, seconds, trained, components, environment, copies, ...options }: Own): string {
  const path = temporaryRunFolder({ ...options, config: { ...settings, ...options.config } });
  const { modalities = ['audio', 'image'] } = options;
  const each = (count: number) => Object.fromEntries(modalities.map((modality) => [modality, count]));
  edit(join(path, 'config.json'), (config) => ({
    ...config,
    ...(components && { components }),
    ...(environment && { environment }),
    identity: {
      data: { train: split('train'), test: split('test') },
      ...(copies && { teachers: Object.fromEntries(Object.keys(copies).map((m) => [m, {}])) }),
    },
  }));
  edit(join(path, 'summary.json'), (summary) => ({
    ...summary,
    ...(seconds !== undefined && { seconds }),
    ...(trained !== undefined && { last: { epoch: trained } }),
    ...(passes && {
      passes: {
        forward: each(passes[0]),
        backward: each(passes[1]),
        ...(passes[2] !== undefined && { teachers: each(passes[2]) }),
      },
    }),
  }));
  for (const [modality, teacher] of Object.entries(copies ?? {}))
    for (const file of ['config.json', 'summary.json'])
      cpSync(join(teacher, file), join(path, 'teachers', modality, file));
  return path;
}

const only = (folders: readonly string[]): ComparisonTable => {
  const { tables } = compareRuns(folders.map(readRun));
  expect(tables).toHaveLength(1);
  return tables[0]!;
};
const rowOf = (table: ComparisonTable, method: string) => table.rows.find((row) => row.method === method)!;

const joint = (seed = 0, own: Own = {}): string =>
  folder({ method: 'joint', seed, passes: [90, 90], seconds: 30, ...own });
const teacher = (modality: string, own: Own = {}): string =>
  folder({
    name: `teacher-${modality}`,
    kind: 'teacher',
    modalities: [modality],
    passes: [90, 90],
    seconds: 12,
    ...own,
  });

describe('settings that differ', () => {
  it('are none where the method alone does, with what belongs to it', () => {
    const table = only([
      joint(),
      folder({
        method: 'ogm-ge',
        config: {
          methodOptions: { 'ogm-ge': { alpha: 0.8 } },
          data: { workers: 4 },
          $schema: 'elsewhere',
          checkpoints: { every: 9 },
        },
      }),
    ]);
    expect(rowOf(table, 'ogm-ge').against).toEqual({ label: 'Joint training', differences: [] });
    expect(rowOf(table, 'joint').against).toBeUndefined();
    expect(table.notes.join()).not.toContain('more than the method');
    expect(formatComparison(compareRuns([joint()].map(readRun)), 'text')).not.toContain('also differs in');
  });

  it('are named with both values, in every format', () => {
    const other = folder({
      method: 'mla',
      config: {
        batchSize: 32,
        optimizer: { type: 'sgd', learningRate: 0.01, momentum: 0.9 },
        encoders: { audio: { type: 'resnet18' }, image: { type: 'small-image' } },
        epochs: 12,
      },
      select: 'last',
      components: { method: [{ name: 'mla', label: 'MLA', summary: 'in turn' }] },
    });
    const comparison = compareRuns([joint(0), joint(1), other].map(readRun));
    const row = rowOf(comparison.tables[0]!, 'mla');
    expect(row.against?.differences).toEqual(
      expect.arrayContaining([
        { key: 'batchSize', own: '32', other: '64' },
        { key: 'optimizer.learningRate', own: '0.01', other: '0.05' },
        { key: 'optimizer.momentum', own: '0.9', other: undefined },
        { key: 'encoders.image.type', own: 'small-image', other: 'resnet18' },
        { key: 'fusion.type', own: "the method's own", other: 'late' },
        { key: 'epochs', own: '12', other: '6' },
        { key: 'select', own: 'last', other: 'validation-best' },
      ]),
    );
    expect(row.against?.differences).toHaveLength(7);
    const note = comparison.tables[0]!.notes.find((text) =>
      text.startsWith('MLA differs from Joint training'),
    )!;
    expect(note).toContain('batchSize 32 (there 64)');
    expect(note).toContain('optimizer.momentum 0.9 (there not said)');
    expect(note).toMatch(/the same seed is not the same order of the same data \(batchSize\)\.$/);
    for (const format of ['text', 'markdown'] as const) {
      const text = formatComparison(comparison, format);
      expect(text).toContain('also differs in');
      expect(text).toMatch(/MLA.* and 5 more/);
      expect(text).toContain(format === 'text' ? note : 'MLA differs from Joint training in more than');
    }
    const record = records(comparison).find(({ method }) => method === 'mla');
    expect(record?.['against_differences']).toContain('optimizer.learningRate=0.01 (0.05)');
    const page = renderComparison({ title: 'Unlike', runs: [joint(), other].map(readRun) });
    expect(page).toContain('MLA differs from Joint training in more than the method');
    const json = JSON.parse(JSON.stringify(comparison)) as typeof comparison;
    expect(rowOf(json.tables[0]!, 'mla').against?.label).toBe('Joint training');
  });

  it('are those of the first row where there is no joint training', () => {
    const table = only([folder({ method: 'umt' }), folder({ method: 'g2d', config: { batchSize: 16 } })]);
    const [against] = table.rows.flatMap((row) => row.against ?? []);
    expect(against?.differences.map(({ key }) => key)).toEqual(['batchSize']);
  });
});

const records = (comparison: ReturnType<typeof compareRuns>): Record<string, string>[] =>
  parse(formatComparison(comparison, 'csv'), { columns: true });

describe('the cost', () => {
  it('is counted in joint steps, a backward pass as two forward ones, over the seeds that were trained', () => {
    const table = only([
      joint(0),
      joint(1, { passes: [60, 60], seconds: 20, trained: 4 }),
      folder({ method: 'agm', passes: [270, 270], seconds: 70 }),
      folder({ method: 'linear-probe', passes: [90, 0], seconds: 9 }),
    ]);
    const { cost } = rowOf(table, 'joint');
    expect(cost).toMatchObject({ steps: { values: [90, 60], mean: 75 }, seconds: { mean: 25 }, epochs: 5 });
    expect(rowOf(table, 'agm').cost.steps?.mean).toBe(270);
    expect(rowOf(table, 'linear-probe').cost.steps?.mean).toBe(30);
    expect(rowOf(table, 'agm').cost.teachers).toBeUndefined();
    expect(table.notes).toContain(
      `${rowOf(table, 'agm').label} needed more than Joint training: 6 epochs (there 5); 3 × the joint steps in an epoch.`,
    );
    expect(table.notes.filter((note) => note.startsWith('A joint step is'))).toHaveLength(1);
  });

  it('has that of the teachers apart, each of a share of a joint step, and those that run in steps', () => {
    const copies = { audio: teacher('audio'), image: teacher('image', { passes: [180, 180], seconds: 20 }) };
    const comparison = compareRuns(
      [joint(), folder({ method: 'g2d', passes: [90, 45, 90], seconds: 40, copies }), copies.audio].map(
        readRun,
      ),
    );
    const [table] = comparison.tables as [ComparisonTable];
    const { cost } = rowOf(table, 'g2d');
    // (90 + 2 · 45 + 90) / 3; teachers 90 / 2 + 180 / 2.
    expect(cost).toMatchObject({
      steps: { mean: 90 },
      teachers: { modalities: ['audio', 'image'], steps: { mean: 135 }, seconds: { mean: 32 } },
    });
    expect(table.teachers[0]?.cost.steps?.mean).toBe(45);
    expect(table.notes).toContain(
      'G2D needed more than Joint training: teachers of audio and image, whose training took 135 joint steps, 32 s.',
    );
    const text = formatComparison(comparison, 'text');
    expect(text).toMatch(/joint steps {2}× joint +time/);
    expect(text).toMatch(/G2D .* 90 \+ 135 +1 \+ 1\.5 +40 s \+ 32 s/);
    expect(records(comparison)[1]).toMatchObject({
      label: 'G2D',
      joint_steps_mean: '90',
      seconds_mean: '40',
      teachers: 'audio image',
      teachers_joint_steps_mean: '135',
      teachers_seconds_mean: '32',
      epochs_trained: '6',
    });
    expect(renderComparison({ title: 'Cost', runs: [readRun(joint())] })).toContain('joint steps');
  });

  it('has that of runs whose encoders it began with, once where they are its teachers too', () => {
    const audio = teacher('audio');
    const image = teacher('image', { passes: [180, 180], seconds: 20 });
    const encoders = {
      audio: { type: 'resnet', weights: audio },
      image: { type: 'resnet', weights: { path: image } },
    };
    const torch = { audio: { type: 'resnet', weights: 'elsewhere/audio.pt' } };
    const table = only([
      joint(0, { config: { encoders: torch } }),
      folder({ method: 'linear-probe', passes: [90, 0], config: { encoders } }),
      folder({ method: 'umt', passes: [90, 90], copies: { audio }, config: { encoders } }),
    ]);
    const whole = { modalities: ['audio', 'image'], steps: { mean: 135 }, seconds: { mean: 32 } };
    expect(rowOf(table, 'linear-probe').cost.teachers).toMatchObject(whole);
    expect(rowOf(table, 'umt').cost.teachers).toMatchObject(whole);
    expect(rowOf(table, 'joint').cost.teachers).toBeUndefined();
  });

  it('says so where a folder does not know it', () => {
    const copies = { audio: teacher('audio', { passes: undefined! }) };
    const table = only([
      joint(),
      folder({ method: 'umt', seconds: 31, copies }),
      folder({ method: 'pmr', seed: 0 }),
    ]);
    const { cost, label } = rowOf(table, 'umt');
    expect([cost.steps, cost.teachers?.steps]).toEqual([undefined, undefined]);
    expect(cost.teachers?.seconds?.mean).toBe(12);
    expect(table.notes).toContain(
      `How often encoders ran is not recorded by an earlier version, for every seed of ${table.rows
        .filter(({ cost }) => !cost.steps)
        .map((row) => row.label)
        .join(' and ')}.`,
    );
    expect(table.notes).toContain(
      `${label} needed more than Joint training: a teacher of audio, whose training took 12 s.`,
    );
  });

  it('has no teachers of a run that names some and had no use for them', () => {
    const named = joint(0, { teachers: { audio: teacher('audio') } });
    const other = folder({ method: 'ogm', teachers: { audio: teacher('audio') } });
    const table = only([named, other]);
    expect(table.rows.map(({ cost }) => cost.teachers)).toEqual([undefined, undefined]);
  });

  it('names more epochs, and times of other machines', () => {
    const environment = { backend: 'tensorflow', device: 'cpu', host: { cpu: 'another', cpus: 64 } };
    const longer = folder({
      method: 'mm-pareto',
      passes: [180, 180],
      environment,
      config: { epochs: 12 },
      epochs: 12,
    });
    const { notes } = only([joint(), longer]);
    expect(notes.find((note) => note.includes('needed more'))).toMatch(/: 12 epochs \(there 6\)[.;]/);
    expect(notes).toContain('Times are of 2 different machines or backends: they are not to be compared.');
  });

  it('names versions that differ, and means over several of them', () => {
    const of = (g2d: string) => ({ backend: 'cpu', device: 'cpu', versions: { g2d, tfjs: '4.22.0' } });
    const [old, now] = [of('0.1.0'), of('0.2.0')];
    const runs = [joint(0, { environment: old }), folder({ method: 'g2d', environment: old })];
    const about = ({ notes }: ComparisonTable): string[] => notes.filter((note) => note.includes('versions'));
    expect(about(only(runs))).toEqual([]);
    const more = folder({ method: 'g2d', seed: 1, environment: now });
    expect(about(only([...runs, more]))).toEqual([
      'Runs were trained with different versions: 2 runs with g2d 0.1.0 (Joint training and G2D); 1 run with g2d 0.2.0 (G2D). Means over several of them: G2D.',
    ]);
  });

  it('has one note for all rows that differ alike, and for all that needed the same', () => {
    const config = { optimizer: { type: 'sgd', learningRate: 0.01 } };
    const runs = [
      folder({ method: 'joint', seed: 0, passes: [500, 500] }),
      folder({ method: 'ogm', seed: 0, passes: [510, 510], config }),
      folder({ method: 'pmr', seed: 0, passes: [515, 515], config }),
      folder({ method: 'mm-pareto', seed: 0, passes: [515, 515], config: { batchSize: 16 } }),
    ];
    const { notes } = compareRuns(runs.map(readRun)).tables[0]!;
    expect(notes.filter((note) => note.includes('in more than the method'))).toEqual([
      expect.stringMatching(/^OGM and pmr differ from Joint .*learningRate 0.01 \(there 0.05\)/),
      expect.stringMatching(/^MMPareto differs from Joint/),
    ]);
    // 510 of 500 steps are no more; 515 are, and do not read as 1.
    expect(notes.filter((note) => note.includes('needed more'))).toEqual([
      expect.stringMatching(
        /^(pmr and MMPareto|MMPareto and pmr) needed more than .*: 1.03 × the joint steps/,
      ),
    ]);
  });

  it('stays readable in a terminal of 120 columns', () => {
    const copies = { audio: teacher('audio'), image: teacher('image') };
    const runs = [0, 1, 2].flatMap((seed) => [
      joint(seed),
      folder({ method: 'g2d', seed, passes: [90, 45, 90], copies, config: { batchSize: 16, epochs: 6 } }),
    ]);
    const text = formatComparison(compareRuns(runs.map(readRun)), 'text', { width: 120 });
    expect(text.split('\n').every((line) => line.length <= 120)).toBe(true);
    const notes = text.slice(text.indexOf('\n* '));
    expect(notes.replaceAll(/\s+/g, ' ')).toContain(
      'G2D differs from Joint training in more than the method: batchSize 16 (there 64)',
    );
  });
});

describe('gains', () => {
  it('are paired over the seeds that both have, and name those without a partner', () => {
    const goals = (fused: number) => ({ fused, audio: 40, image: 30 });
    const table = only([
      ...[50, 52, 54].map((fused, seed) => joint(seed, { goals: goals(fused) })),
      ...[56, 62, 70].map((fused, i) => folder({ method: 'ogm-ge', seed: i + 1, goals: goals(fused) })),
    ]);
    const { gain } = rowOf(table, 'ogm-ge');
    // 56 − 52 and 62 − 54: mean 6, deviation 2√2, 12.7062 · 2 on either side.
    expect(gain).toMatchObject({ n: 2, seeds: [1, 2], mean: 6, wins: { better: 2, of: 2 } });
    expect(gain?.interval?.lower).toBeCloseTo(6 - 12.7062 * 2, 2);
    expect(table.notes).toContain(
      'The gain of OGM-GE over Joint training is of the seeds that both have: 1, 2. Without a partner: OGM-GE 3; Joint training 0.',
    );
  });
});
