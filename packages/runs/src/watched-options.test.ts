// Options of a function of the user's, which has not said which it takes: those that it never reads are named.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { parseConfig } from './read-config.js';
import { SILENT } from './run-reporter.js';
import { trainRun } from './train-run.js';
import { watchedOptions } from './watched-options.js';

describe('watched options', () => {
  it('are the same to whoever reads, writes, spreads, clones or saves them', () => {
    const given = { a: 1, b: [2], c: undefined };
    const { options } = watchedOptions(given);
    expect(options).toEqual(given);
    expect([{ ...options }, structuredClone(options)]).toEqual([given, given]);
    expect(JSON.stringify(options)).toBe('{"a":1,"b":[2]}');
    (options as { a: number }).a = 3;
    expect((options as { a: number }).a).toBe(3);
    expect(given.a).toBe(1);
  });

  it('know what was read', () => {
    const { options, unread } = watchedOptions({ a: 1, b: 2 });
    expect(unread()).toEqual(['a', 'b']);
    expect('b' in options).toBe(true);
    const { a } = options as { a: number };
    expect([a, unread()]).toEqual([1, ['b']]);
    expect([{ ...options }, unread()]).toEqual([{ a: 1, b: 2 }, []]);
  });
});

describe('a run with modules of the user’s', () => {
  let root: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'g2d-watched-'));
    await tf.setBackend('cpu');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('names each option that none of them has read, once, and trains', async () => {
    const method = join(root, 'mine.mjs');
    writeFileSync(method, 'export default ({ known }) => ({ name: `mine-${known}` });');
    const file = (name: string): string => new URL(`../test/${name}.ts`, import.meta.url).pathname;
    const config = toyConfig({
      epochs: 1,
      dataset: { name: 'module', path: file('toy-dataset'), options: { augmented: false, augmentd: true } },
      encoders: {
        loud: { type: 'module', path: file('toy-encoder'), options: { units: 3, unit: 4 } },
        quiet: { type: 'module', path: file('toy-encoder'), options: { units: 3 } },
      },
      method,
      methodOptions: { [method]: { known: 1, 'strength\u202e': 2 } },
    });
    const notes: string[] = [];
    const reporter = { ...SILENT, note: (line: string) => void notes.push(line) };
    const { status } = await trainRun(parseConfig(config), { out: join(root, 'run'), reporter });
    expect(status).toBe('finished');
    const unread = (path: string, what: string, key: string): string =>
      `The module ${path}, which makes ${what}, has not read its option ${key}: is it misspelt?`;
    expect(notes.filter((line) => line.includes('has not read'))).toEqual([
      unread(method, 'a method', '"strength\u202e"'),
      unread(file('toy-encoder'), 'the encoder for loud', '"unit"'),
      unread(file('toy-dataset'), 'the dataset', '"augmentd"'),
    ]);
  });
});
