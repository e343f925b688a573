import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, temporaryGroup, temporaryRunFolder } from '../fixtures/temporary-group.js';
import { readRun, readStartedRun } from './read-run.js';

function runFolder(name = 'g2d'): string {
  return join(temporaryGroup({ epochs: 4, testSamples: 40 }).folder, name);
}

function edit(path: string, change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

describe('readRun', () => {
  it('reads the four files of a run', () => {
    const run = readRun(runFolder());
    expect(run.name).toBe('g2d');
    expect(run.config).toMatchObject({
      kind: 'student',
      modalities: ['audio', 'image'],
      methodOptions: { smp: { phaseEpochs: [2, 2] } },
      dataset: { name: 'synthetic' },
      select: 'validation-best',
      environment: { backend: 'synthetic', gitCommit: null },
    });
    expect(run.metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(run.metrics[0]?.coefficients).toEqual({ audio: 0, image: 1 });
    expect(run.metrics[0]?.validation).toBeUndefined();
    expect(run.summary).toMatchObject({ task: 'classification', select: 'validation-best' });
    expect(Object.keys(run.summary.stages ?? {})).toEqual(['training', 'evaluation', 'checkpoints']);
    expect(run.summary.metrics?.['test']?.['fused']?.['accuracy']).toBe(run.summary.test['fused']);
    expect(run.summary.perClass?.['image']).toHaveLength(4);
    expect(run.summary.confusion['fused']?.flat().reduce((sum, count) => sum + count)).toBe(40);
    expect(run.predictions?.predictions['image']).toHaveLength(40);
  });

  it('names the file and the line of a broken line in metrics.jsonl', () => {
    const folder = runFolder();
    const path = join(folder, 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[2] = lines[2]?.slice(0, 30) ?? '';
    writeFileSync(path, lines.join('\n'));
    expect(() => readRun(folder)).toThrow(`${path}: line 3: not valid JSON`);
  });

  it('names the field of a line that has the wrong kind of value', () => {
    const folder = runFolder();
    const path = join(folder, 'metrics.jsonl');
    writeFileSync(path, `{"epoch":1,"loss":{"total":1},"train":{}}\n{"epoch":"two","loss":{},"train":{}}\n`);
    expect(() => readRun(folder)).toThrow(`${path}: line 2: \`epoch\` must be a number; got string "two".`);
  });

  it('leaves out numbers that were not finite, which JSON writes as null', () => {
    const folder = runFolder();
    writeFileSync(
      join(folder, 'metrics.jsonl'),
      '{"epoch":1,"loss":{"total":null,"student":2},"train":{"fused":10}}\n',
    );
    expect(readRun(folder).metrics[0]?.loss).toEqual({ student: 2 });
  });

  it('names a missing file and a missing field', () => {
    const folder = runFolder();
    edit(join(folder, 'config.json'), (json) => delete json['modalities']);
    expect(() => readRun(folder)).toThrow(
      /config\.json: `modalities` must be a list of strings; it is missing/,
    );
    rmSync(join(folder, 'config.json'));
    expect(() => readRun(folder)).toThrow(/config\.json: cannot be read/);
  });

  it('rejects predictions that do not fit the ids or the classes', () => {
    const folder = runFolder();
    const path = join(folder, 'predictions.json');
    edit(path, (json) => {
      (json['predictions'] as Record<string, number[]>)['fused']![0] = 4;
    });
    expect(() => readRun(folder)).toThrow(/`predictions` must be lists of 40 class ids .* from 0 to 3/);
  });

  it('rejects a confusion table that is not square', () => {
    const folder = runFolder();
    edit(join(folder, 'summary.json'), (json) => (json['confusion'] = { fused: [[1, 2]] }));
    expect(() => readRun(folder)).toThrow(/summary\.json: `confusion` must be square tables/);
  });

  it('reads a teacher, whose only head is its modality', () => {
    const run = readRun(runFolder('teacher-image'));
    expect(run.config).toMatchObject({ kind: 'teacher', modalities: ['image'] });
    expect(Object.keys(run.summary.test)).toEqual(['image']);
  });

  it('reads a run without a validation split and without predictions', () => {
    const folder = temporaryRunFolder({ hasValidation: false });
    rmSync(join(folder, 'predictions.json'));
    edit(join(folder, 'summary.json'), (json) => delete json['confusion']);
    const run = readRun(folder);
    expect(run.summary).toMatchObject({ validation: {}, confusion: {}, selectedEpoch: 6 });
    expect(run.predictions).toBeUndefined();
    expect(run.metrics[0]).not.toHaveProperty('validation');
    expect(run.metrics[0]).toHaveProperty('test');
  });

  it('reads a regression, where a prediction may not be finite', () => {
    const folder = temporaryRunFolder({ task: 'regression', modalities: ['image', 'weather', 'soil'] });
    const path = join(folder, 'predictions.json');
    edit(path, (json) => ((json['predictions'] as Record<string, (number | null)[]>)['fused']![1] = null));
    const { summary, predictions } = readRun(folder);
    expect(summary).toMatchObject({ task: 'regression', confusion: {} });
    expect(Object.keys(summary.test)).toEqual(['fused', 'image', 'weather', 'soil']);
    expect(predictions?.classNames).toEqual([]);
    expect(predictions?.predictions['fused']?.[1]).toBeNaN();
    edit(path, (json) => ((json['predictions'] as Record<string, unknown[]>)['soil'] = [1]));
    expect(() => readRun(folder)).toThrow(`${path}: \`predictions\` must be lists of 100 numbers`);
  });

  it('reads settings that are flat, without an environment', () => {
    const folder = runFolder();
    const flat = { name: 'g2d', kind: 'student', modalities: ['audio', 'image'], seed: 0, epochs: 4 };
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...flat, phaseEpochs: [2, 2], scope: 'conv' }),
    );
    expect(readRun(folder).config).toEqual({ ...flat, method: 'g2d', phaseEpochs: [2, 2], scope: 'conv' });
  });

  it.each([
    ['config.json', 'select', 'best', /config\.json: `select` must be one of "validation-best"/],
    ['config.json', 'dataset', 'crema-d', /config\.json: `dataset` must be an object; got string/],
    [
      'summary.json',
      'task',
      'ranking',
      /summary\.json: `task` must be one of "classification", "regression", "multi-label"/,
    ],
    ['summary.json', 'perClass', { fused: [{}] }, /summary\.json: `perClass` must be lists of/],
    ['summary.json', 'metrics', { test: { fused: { f: 'x' } } }, /summary\.json: `metrics`: `fused` must be/],
  ])('names what is wrong in %s: %s', (file, key, value, message) => {
    const folder = temporaryRunFolder();
    edit(join(folder, file), (json) => (json[key] = value));
    expect(() => readRun(folder)).toThrow(message);
  });

  it('puts the epochs that a resumed run repeated in place of the earlier ones', () => {
    const folder = temporaryRunFolder();
    const lines = [1, 2, 3, 2, 3].map((epoch, index) =>
      JSON.stringify({ epoch, loss: { total: index }, train: {} }),
    );
    writeFileSync(join(folder, 'metrics.jsonl'), lines.join('\n'));
    expect(readRun(folder).metrics.map(({ epoch, loss }) => [epoch, loss['total']])).toEqual([
      [1, 0],
      [2, 3],
      [3, 4],
    ]);
  });

  it('finds the teachers that a student names, and their results while those are the same', () => {
    const group = temporaryGroup({ epochs: 4, testSamples: 40 }).folder;
    const original = join(group, 'teacher-image');
    const folder = join(temporaryFolder(), 'g2d');
    cpSync(join(group, 'g2d'), folder, { recursive: true });
    expect(readRun(folder).teachers).toBeUndefined();
    cpSync(join(original, 'config.json'), join(folder, 'teachers/image/config.json'));
    expect(readRun(folder).teachers?.['image']?.config.modalities).toEqual(['image']);
    expect(readRun(folder).teachers?.['image']?.summary).toBeUndefined();
    edit(join(folder, 'config.json'), (json) => (json['teachers'] = { image: original, audio: '/gone' }));
    expect(readRun(folder).teachers?.['image']?.summary?.test).toHaveProperty('image');
    expect(readRun(folder).teachers).not.toHaveProperty('audio');
    // Moved together: the teacher stands beside the student, though not where it was.
    cpSync(original, join(folder, '../teacher-image'), { recursive: true });
    edit(join(folder, 'config.json'), (json) => (json['teachers'] = { image: '/was/here/teacher-image' }));
    expect(readRun(folder).teachers?.['image']?.summary?.test).toHaveProperty('image');
    rmSync(join(folder, '../teacher-image'), { recursive: true });
    edit(join(folder, 'config.json'), (json) => (json['teachers'] = { image: original }));
    edit(join(original, 'config.json'), (json) => (json['epochs'] = 5));
    expect(readRun(folder).teachers?.['image']?.summary).toBeUndefined();
  });

  it('throws errors that the other packages recognize', () => {
    expect(() => readRun('/nowhere')).toThrow(expect.objectContaining({ code: 'G2D_FILE_FORMAT' }));
  });
});

describe('readStartedRun', () => {
  it('reads a run that is not finished, without a last line that is half written', () => {
    const folder = temporaryRunFolder({ stopAfter: 3 });
    expect(readStartedRun(folder).metrics).toHaveLength(3);
    const path = join(folder, 'metrics.jsonl');
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"epoch":4,"lo`);
    const run = readStartedRun(folder);
    expect(run.metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(run).not.toHaveProperty('summary');
    expect(() => readRun(folder)).toThrow(/summary\.json: is missing: this run is not finished/);
    writeFileSync(path, `${readFileSync(path, 'utf8')}\n`);
    expect(() => readStartedRun(folder)).toThrow(`${path}: line 4: not valid JSON`);
  });

  it('reads a run that has not finished its first epoch', () => {
    const folder = temporaryRunFolder({ stopAfter: 0 });
    rmSync(join(folder, 'metrics.jsonl'));
    expect(readStartedRun(folder).metrics).toEqual([]);
  });

  it('reads a finished run as `readRun` does', () => {
    const folder = temporaryRunFolder();
    expect(readStartedRun(folder)).toEqual(readRun(folder));
  });
});
