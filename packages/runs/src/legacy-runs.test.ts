// Run folders that an earlier version wrote and that were stopped on the way go on, and end as runs of today do.
import * as tf from '@tensorflow/tfjs';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyTeacher } from '../test/toy-config.js';
import { RunFolder } from './node/run-folder.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

const test = fileURLToPath(new URL('../test/', import.meta.url));
const names = readdirSync(join(test, 'legacy-runs'));
const root = mkdtempSync(join(tmpdir(), 'g2d-legacy-'));
const at = (name: string): string => join(root, name);

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const modality of ['loud', 'quiet'] as const) {
    const config = parseConfig(toyTeacher(modality));
    await trainRun(config, { out: at(`teacher-${modality}`) });
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of a folder whose paths are those of this machine. */
function copied(name: string): string {
  const out = at(name);
  cpSync(join(test, 'legacy-runs', name), out, { recursive: true });
  const configs = readdirSync(out, { recursive: true, encoding: 'utf8' });
  for (const file of configs.filter((path) => path.endsWith('config.json'))) {
    const text = readFileSync(join(out, file), 'utf8');
    writeFileSync(join(out, file), text.replaceAll('TEST/', test).replaceAll('RUNS/', `${root}/`));
  }
  return out;
}

/** The numbers of the log, without those of the machine. */
const log = (out: string): unknown[] =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { epoch, loss, test: scores, coefficients, confidence, stopped } = JSON.parse(line);
      return { epoch, loss, scores, coefficients, confidence, stopped };
    });

/** Every number near what it was: processors round differently. */
const near = (value: unknown): unknown =>
  typeof value === 'number'
    ? expect.closeTo(value, 4)
    : Array.isArray(value)
      ? value.map(near)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, near(inner)]))
        : value;

describe('a run folder of an earlier version', () => {
  it.each(names)('goes on: %s', async (name) => {
    const out = copied(name);
    const config = parseConfig(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')));
    const notes: string[] = [];
    const reporter = {
      begin: () => {},
      step: () => {},
      epoch: () => {},
      note: (line: string) => notes.push(line),
    };
    expect((await trainRun(config, { out, resume: true, reporter })).status).toBe('finished');
    // The first epoch of this one was trained in a way that was wrong.
    const isOther = name === 'mla';
    expect(/MLA with "otherEncoders": "zero".* begin it anew/.test(notes.join('\n'))).toBe(isOther);
    // The noise of this one comes from another generator since: its later epochs have other numbers than if it had begun with it.
    const isRedrawn = name === 'ogm-ge';
    if (isOther || isRedrawn) return;
    const whole = at(`${name}-whole`);
    await trainRun(config, { out: whole });
    expect(log(out)).toEqual(near(log(whole)));
    const [ended, expected] = [new RunFolder(out), new RunFolder(whole)].map((folder) =>
      folder.weights('last'),
    );
    expect(Object.keys(ended!)).toEqual(Object.keys(expected!));
    for (const [weight, { values }] of Object.entries(expected!))
      expect([...ended![weight]!.values], weight).toEqual(near([...values]));
  });
});
