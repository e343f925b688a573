// A method that stands in no list: one file, named in the configuration.
import * as tf from '@tensorflow/tfjs';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { methodNames } from './method-names.js';
import { planMethods } from './plan-methods.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

const path = fileURLToPath(new URL('../test/toy-method.ts', import.meta.url));

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-own-method-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const own = (options: object, method = path) =>
  parseConfig(toyConfig({ method, methodOptions: { [path]: options } }));

const OPTIONS = { [path]: { after: 1 }, ogm: { alpha: 0.3 }, smp: { phaseEpochs: [1, 1] } };
const words = async (method: string) =>
  (await planMethods(parseConfig(toyConfig({ method, methodOptions: OPTIONS })))).words;

describe('a method of a user’s own', () => {
  it('trains, with options that are checked and have defaults, and is called by its label', async () => {
    const out = join(root, 'calm');
    expect((await trainRun(own({ after: 1 }), { out })).status).toBe('finished');
    const read = (name: string) => readFileSync(join(out, name), 'utf8');
    const losses = read('metrics.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line).loss));
    expect(losses).toEqual([
      ['total', 'student'],
      ['total', 'student', 'penalty'],
      ['total', 'student', 'penalty'],
    ]);
    expect(JSON.parse(read('config.json'))).toMatchObject({
      method: path,
      components: { method: [{ label: 'Calm logits', summary: 'large logits cost something' }] },
    });
    // It is a configuration, and the state of the method is in the checkpoint.
    expect((await trainRun(parseConfig(JSON.parse(read('config.json'))), { out, resume: true })).status).toBe(
      'finished',
    );
    expect(JSON.parse(read('checkpoints/last/state.json')).state.methods).toEqual({ calm: { steps: 9 } });
  });

  it('is refused with a sentence that names the key', async () => {
    await expect(planMethods(own({ after: -1 }))).rejects.toThrow(
      `"methodOptions.${path}.after" is -1; it must be at least 0`,
    );
    await expect(planMethods(own({}))).rejects.toThrow(`"methodOptions.${path}.after" is missing`);
    await expect(planMethods(own({ after: 1, wait: 2 }))).rejects.toThrow(
      /unknown key ".*\.wait"; known here: weight, after/,
    );
  });

  it('stacks with others', async () => {
    expect(await words(`${path}+ogm`)).toEqual({
      label: 'Calm logits + OGM',
      summary: 'large logits cost something; slows down the modality that is ahead, batch by batch',
    });
    const labels = ['joint', 'smp', 'joint+smp', 'g2d-loss+smp', 'umt+smp', 'mla'].map(
      async (stack) => (await words(stack)).label,
    );
    expect(await Promise.all(labels)).toEqual([
      'Joint training',
      'SMP only',
      'SMP only',
      'G2D',
      'UMT + SMP',
      'MLA',
    ]);
    // Tables have the order of the list of methods, where a method of one's own has no place.
    const orders = ['joint', 'umt', 'smp', 'umt+smp', 'g2d-loss', 'g2d', path, `${path}+ogm`].map(
      async (stack) => (await words(stack)).order,
    );
    const placed = (await Promise.all(orders)).slice(0, 6) as number[];
    expect(placed[0]).toBe(0);
    expect(new Set(placed).size).toBe(6);
    expect(placed.toSorted((a, b) => a - b)).toEqual(placed);
    expect((await Promise.all(orders)).slice(6)).toEqual([undefined, undefined]);
    expect(methodNames(`${path}+g2d`)).toEqual([path, 'g2d-loss', 'smp']);
  });

  it('can be an npm package that is installed where the run is started', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(root);
    const home = join(root, 'node_modules', '@me', 'calm');
    mkdirSync(home, { recursive: true });
    writeFileSync(
      join(home, 'package.json'),
      JSON.stringify({ name: '@me/calm', type: 'module', exports: { '.': { import: './method.js' } } }),
    );
    writeFileSync(join(home, 'method.js'), "export default () => ({ name: 'mine' });");
    const config = parseConfig(toyConfig({ method: '@me/calm' }));
    expect((await planMethods(config)).methods).toEqual([{ name: 'mine' }]);
    expect(() => methodNames('@me/hasty')).toThrow(/There is no method "@me\/hasty"/);
  });
});
