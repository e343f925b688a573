// Run folders that an earlier version wrote go on, teach and are loaded.
import * as tf from '@tensorflow/tfjs';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluate } from '@g2d/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunFolder } from './node/run-folder.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

const version1 = fileURLToPath(new URL('../test/fixtures/version-1', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'g2d-old-'));

/** A copy, since a run that is opened is locked, and one that goes on is written. */
function copyOf(name: string): string {
  const copy = join(root, name);
  cpSync(join(version1, name), copy, { recursive: true });
  return copy;
}

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const configOf = (folder: string) => parseConfig(new RunFolder(folder).config());

describe('run folders of version 1', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('go on where they were stopped, to the numbers of the run that was not', async () => {
    const folder = copyOf('g2d-stopped');
    // Stopped once more, so that it also goes on from what this version saved in it.
    const stop = new AbortController();
    const silent = { begin: () => {}, epoch: () => {}, note: () => {} };
    const reporter = { ...silent, step: () => stop.abort() };
    const options = { out: folder, resume: true };
    const stopped = await trainRun(configOf(folder), { ...options, signal: stop.signal, reporter });
    expect(stopped.status).toBe('interrupted');
    const outcome = await trainRun(configOf(folder), options);
    expect(outcome.status).toBe('finished');
    const [resumed, whole] = [json(folder, 'summary.json'), json(version1, 'g2d', 'summary.json')];
    expect(resumed).toMatchObject({ selectedEpoch: whole.selectedEpoch, test: whole.test, last: whole.last });
    for (const [head, { loss }] of Object.entries<{ loss: number }>(whole.metrics.test)) {
      expect(resumed.metrics.test[head].loss).toBeCloseTo(loss, 5);
    }
    // It had no probabilities.
    expect(json(folder, 'predictions.json')).toMatchObject(json(version1, 'g2d', 'predictions.json'));
  });

  it('are finished where they were', async () => {
    const folder = copyOf('g2d');
    const outcome = await trainRun(configOf(folder), { out: folder, resume: true });
    expect(outcome).toMatchObject({ status: 'finished', summary: json(version1, 'g2d', 'summary.json') });
  });

  it('are loaded with the weights that they selected', async () => {
    const run = await loadRun(join(version1, 'g2d'), { trust: true });
    expect(run.epoch).toBe(2);
    const { accuracy } = await evaluate(run.predict, run.data.test);
    expect(accuracy).toEqual(json(version1, 'g2d', 'summary.json').test);
    await run.close();
  });

  it('teach a new student', async () => {
    const teachers = Object.fromEntries(
      ['loud', 'quiet'].map((modality) => [
        modality,
        relative(process.cwd(), join(version1, `teacher-${modality}`)),
      ]),
    );
    const config = { ...configOf(join(version1, 'joint')), name: 'umt', method: 'umt', epochs: 1, teachers };
    const { status } = await trainRun(config, { out: join(root, 'umt') });
    expect(status).toBe('finished');
    // What the copies were written by is what the originals were.
    for (const modality of ['loud', 'quiet']) {
      expect(json(root, 'umt', 'teachers', modality, 'config.json')).toEqual(
        json(version1, `teacher-${modality}`, 'config.json'),
      );
    }
  });
});
