// Names and keys that every object has, or that lists have not: nothing is looked up through a prototype, and nothing is set in silence.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { firstDifference } from './differences.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import { localEngine } from './sweep/local-engine.js';
import { runSweep } from './sweep/run-sweep.js';
import { trainRun } from './train-run.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-odd-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ODD = ['constructor', 'toString', 'valueOf', '__proto__'];

describe('a key of a configuration', () => {
  it.each(ODD)('%s is unknown as any other', (name) => {
    const message = `has an unknown key "${name}"`;
    expect(() => parseConfig(toyConfig(), { changes: { [name]: 1 } })).toThrow(message);
    expect(() => parseConfig(toyConfig(), { changes: { [`${name}.x`]: 1 } })).toThrow(message);
    expect(() => parseConfig(toyConfig(), { changes: { [`data.${name}.x`]: 1 } })).toThrow(
      `has an unknown key "data.${name}"`,
    );
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it.each(['-1', '', '2', 'length', 'constructor'])('of a list is an entry that it has: %s', (entry) => {
    const values = toyConfig({ modalities: ['loud', 'quiet'] });
    expect(() => parseConfig(values, { changes: { [`modalities.${entry}`]: 'loud' } })).toThrow(
      `There is no entry ${entry} in a list of 2`,
    );
    expect(parseConfig(values, { changes: { 'modalities.1': 'loud' } }).modalities).toEqual(['loud', 'loud']);
  });
});

describe('options of a module', () => {
  const config = (name: string) =>
    parseConfig(
      toyConfig({
        dataset: { name: 'module', path: 'x.js', options: Object.fromEntries([[name, 1]]) },
      }),
    );

  it.each(['constructor', 'toString', 'valueOf'])('may have one called %s', (name) => {
    expect(firstDifference(config('other'), config(name))?.key).toBe('dataset.options.other');
    expect(firstDifference(config(name), config('other'))).toMatchObject({ begun: 1, now: undefined });
    expect(firstDifference(config(name), config(name))).toBeUndefined();
  });

  it('have none called __proto__, which would be lost', () => {
    expect(() => config('__proto__')).toThrow('has an unknown key "dataset.options.__proto__"');
  });
});

describe('a misspelt option', () => {
  const wrong = (options: object): never => options as never;
  it.each<[string, () => unknown]>([
    [
      'trainRun: there is no option `resumed`',
      () => trainRun(parseConfig(toyConfig()), wrong({ out: folder, resumed: true })),
    ],
    ['loadRun: there is no option `checkpiont`', () => loadRun(folder, wrong({ checkpiont: 'best' }))],
    [
      'runSweep: there is no option `frehs`',
      () => runSweep({ out: folder, runs: [] } as never, wrong({ frehs: true })),
    ],
    ['localEngine: there is no option `job`', () => localEngine(wrong({ job: 2 }))],
    ['parseConfig: there is no option `change`', () => parseConfig(toyConfig(), wrong({ change: {} }))],
  ])('is refused: %s', async (message, call) => {
    await expect(Promise.resolve().then(call)).rejects.toThrow(message);
  });
});
