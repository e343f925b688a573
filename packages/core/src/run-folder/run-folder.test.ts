import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  checkFile,
  epochMetricsSchema,
  groupSummarySchema,
  parseJson,
  predictionsSchema,
  recordedConfigSchema,
  stateFileSchema,
  summarySchema,
  writtenSummarySchema,
} from './index.js';

const place = { path: 'a.json' };
const config = { kind: 'student', name: 'g2d', modalities: ['audio', 'image'], seed: 0, epochs: 4 };

describe('checkFile', () => {
  const schema = z.looseObject({
    seed: z.number().describe('a number'),
    inner: z.record(z.string(), z.object({ a: z.string().describe('a string') })).describe('an object of a'),
    list: z
      .array(z.number())
      .refine((list) => list.length > 0, 'a list that is not empty')
      .describe('a list of numbers')
      .exactOptional(),
  });
  const refusal = (value: unknown, at?: string): string => {
    try {
      checkFile(schema, value, at === undefined ? place : { ...place, at });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    [[1], 'a.json: expected a JSON object, got a list.'],
    [null, 'a.json: expected a JSON object, got null.'],
    [{ inner: {} }, 'a.json: `seed` must be a number; it is missing.'],
    [{ inner: {}, seed: null }, 'a.json: `seed` must be a number; got null.'],
    [{ inner: {}, seed: '1' }, 'a.json: `seed` must be a number; got string "1".'],
    [{ seed: 1, inner: [] }, 'a.json: `inner` must be an object of a; got a list.'],
    [{ seed: 1, inner: { x: 1 } }, 'a.json: `inner` must be an object of a; got an object.'],
    [{ seed: 1, inner: { x: { a: 1 } } }, 'a.json: `inner`: `a` must be a string; got number 1.'],
    [{ seed: 1, inner: {}, list: ['1'] }, 'a.json: `list` must be a list of numbers; got a list.'],
    [{ seed: 1, inner: {}, list: [] }, 'a.json: `list` must be a list that is not empty; got a list.'],
  ])('says in one sentence what is wrong with %j', (value, message) => {
    expect(refusal(value)).toBe(message);
  });

  it('names the place in the file, also of what is not JSON', () => {
    expect(refusal({}, 'line 3: ')).toMatch(/^a\.json: line 3: `seed` must be/);
    expect(() => parseJson('{', { ...place, at: 'line 3: ' })).toThrow(
      /^a\.json: line 3: not valid JSON: column 2: expected/,
    );
  });

  it('takes a key that is null as absent, and keeps what it does not know', () => {
    expect(checkFile(schema, { seed: 1, inner: {}, list: null, more: [1] }, place)).toEqual({
      seed: 1,
      inner: {},
      more: [1],
    });
  });
});

describe('the files of a run folder', () => {
  it('are read without TensorFlow.js and without Node', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => !file.endsWith('.test.ts'));
    const imports = files.flatMap((file) =>
      [...readFileSync(`${import.meta.dirname}/${file}`, 'utf8').matchAll(/from '([^']+)'/g)].map(
        ([, from]) => from!,
      ),
    );
    const others = imports.filter((from) => !from.startsWith('./'));
    expect([...new Set(others)].sort()).toEqual([
      '../dataset.js',
      '../decode-text.js',
      '../errors.js',
      '../own-value.js',
      '../shown.js',
      'zod',
    ]);
  });

  it('config.json: of a version that this program reads, with or without what came later', () => {
    expect(checkFile(recordedConfigSchema, config, place)).toEqual({ ...config, method: 'g2d' });
    const facts = { name: 'mine', label: 'Mine', summary: 'does it my way' };
    const components = { method: [facts], encoders: { audio: facts }, fusion: facts, dataset: facts };
    const written = { ...config, method: 'mine', format: 'g2d-run', version: 2, components };
    expect(checkFile(recordedConfigSchema, written, place)).toEqual(written);
    expect(() => checkFile(recordedConfigSchema, { ...config, version: 3 }, place)).toThrow(
      'a.json: `version` must be a version that this program reads, 1 to 2; got number 3.',
    );
    expect(() =>
      checkFile(recordedConfigSchema, { ...config, components: { method: [{ name: 'mine' }] } }, place),
    ).toThrow('a.json: `components`: `method`: `0`: `label` must be a string; it is missing.');
  });

  it('metrics.jsonl: what a method records under a name of its own is a series', () => {
    const line = { epoch: 1, loss: { total: null, student: 2 }, train: {}, stopped: true, note: 'x' };
    expect(checkFile(epochMetricsSchema, line, place)).toEqual({ epoch: 1, loss: { student: 2 }, train: {} });
    const series = { stopped: { audio: 1, image: null }, ratio: { audio: 0.5 } };
    expect(checkFile(epochMetricsSchema, { ...line, ...series }, place).series).toEqual({
      stopped: { audio: 1 },
      ratio: { audio: 0.5 },
    });
  });

  it.each(['constructor', 'toString', 'valueOf'])('metrics.jsonl: a series may be called %s', (name) => {
    const line = { epoch: 1, loss: {}, train: {}, [name]: { audio: 1 } };
    expect(checkFile(epochMetricsSchema, line, place).series).toEqual({ [name]: { audio: 1 } });
  });

  it('summary.json: a reader does without what a writer has to write', () => {
    const summary = { name: 'joint', seed: 0, epochs: 1, test: { fused: 50 } };
    expect(checkFile(summarySchema, summary, place)).toMatchObject({ validation: {}, confusion: {} });
    expect(() => checkFile(writtenSummarySchema, summary, place)).toThrow(
      '`method` must be a string; it is missing',
    );
    const perClass = { fused: [{ precision: null, recall: 0, f1: null, support: 3 }] };
    expect(checkFile(summarySchema, { ...summary, perClass }, place).perClass).toEqual({
      fused: [{ recall: 0, support: 3 }],
    });
  });

  it('predictions.json: as many as there are samples, each a class; of a regression any number', () => {
    const file = { ids: ['a', 'b'], classNames: ['x'], labels: [0, 0], predictions: { fused: [0, 0] } };
    expect(checkFile(predictionsSchema, file, place)).toEqual(file);
    expect(() => checkFile(predictionsSchema, { ...file, labels: [0] }, place)).toThrow(
      '`labels` must be 2 class ids (one per entry of `ids`), each from 0 to 0; got a list.',
    );
    const two = { ...file, classNames: ['x', 'y'] };
    const both = {
      ...two,
      probabilities: {
        fused: [
          [0.9, 0.1],
          [0.5, null],
        ],
      },
    };
    expect(checkFile(predictionsSchema, both, place).probabilities).toEqual({
      fused: [
        [0.9, 0.1],
        [0.5, NaN],
      ],
    });
    for (const rows of [
      [[0.9, 0.1]],
      [[0.9], [0.5]],
      [
        [0.9, 1.1],
        [0, 0],
      ],
    ]) {
      expect(() => checkFile(predictionsSchema, { ...two, probabilities: { fused: rows } }, place)).toThrow(
        '`probabilities` must be 2 rows (one per entry of `ids`) of 2 numbers from 0 to 1; got an object.',
      );
    }
    const regression = { ...file, classNames: [], labels: [0.5, -1], predictions: { fused: [null, 2] } };
    expect(checkFile(predictionsSchema, regression, place).predictions).toEqual({ fused: [NaN, 2] });
  });

  it('summary.json of a folder of runs: without TensorFlow, without confidences', () => {
    const group = { seed: 0, backend: 'cpu', tensorflow: null, device: 'cpu', seconds: {}, results: {} };
    expect(checkFile(groupSummarySchema, { ...group, teachers: {} }, place)).toEqual({
      ...group,
      teachers: {},
      confidences: {},
    });
  });

  it('state.json: with checksums and a state, whatever it is', () => {
    const sha256 = { 'model.safetensors': '0', 'optimizer.safetensors': '1', state: '2' };
    const file = { format: 'g2d-checkpoint', version: 1, sha256, state: null };
    expect(stateFileSchema.safeParse(file).data).toEqual(file);
    expect(stateFileSchema.safeParse({ ...file, state: undefined }).success).toBe(false);
    expect(stateFileSchema.safeParse({ ...file, sha256: {} }).success).toBe(false);
  });
});
