import * as tf from '@tensorflow/tfjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { evaluate, inferenceOf } from '../evaluate.js';
import { readState } from '../model-state.js';
import { toyDataset, toyModel } from '../../test/toy.js';
import { openRunGroup } from './run-group.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-runs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('openRunGroup', () => {
  it('starts a folder with its configuration and frees it in the end', async () => {
    const group = await openRunGroup(join(root, 'a'), { seed: 1, note: undefined });
    expect(group.resumed).toBe(false);
    expect(json(join(group.path, 'config.json'))).toEqual({ kind: 'g2d-run-group', seed: 1 });
    await group.release();
    expect(existsSync(join(root, 'a.lock'))).toBe(false);
  });

  it('goes on with an interrupted experiment of the same configuration', async () => {
    const first = await openRunGroup(join(root, 'a'), { seed: 1 });
    writeFileSync(join(first.path, 'kept'), '');
    await first.release();
    const second = await openRunGroup(join(root, 'a'), { seed: 1 });
    expect([second.resumed, existsSync(join(second.path, 'kept'))]).toEqual([true, true]);
    await second.release();
  });

  it('moves a finished experiment, or another configuration, aside', async () => {
    const first = await openRunGroup(join(root, 'a'), { seed: 1 });
    first.finish({ done: 1 });
    await first.release();
    const second = await openRunGroup(join(root, 'a'), { seed: 1 });
    expect(second.resumed).toBe(false);
    expect(json(join(root, 'a.previous', 'summary.json'))).toEqual({ done: 1 });
    await second.release();
    const third = await openRunGroup(join(root, 'a'), { seed: 2 });
    expect(third.resumed).toBe(false);
    expect(json(join(root, 'a.previous', 'config.json'))).toMatchObject({ seed: 1 });
    await third.release();
  });

  it.each(['a', 'a.previous'])('never touches a folder that is not an experiment: %s', async (name) => {
    // An experiment to be moved aside, unless the foreign folder is in its place.
    if (name !== 'a') {
      const group = await openRunGroup(join(root, 'a'), {});
      group.finish({});
      await group.release();
    }
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'thesis.tex'), 'years of work');
    await expect(openRunGroup(join(root, 'a'), {})).rejects.toThrow(/not of an experiment \(thesis\.tex\)/);
    expect(readFileSync(join(root, name, 'thesis.tex'), 'utf8')).toBe('years of work');
    expect(existsSync(join(root, 'a.lock'))).toBe(false);
  });

  it('says what is wrong with a path that is a file, or lies below one', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(openRunGroup(join(root, 'file'), {})).rejects.toThrow(/is a file, and is left alone/);
    await expect(openRunGroup(join(root, 'file', 'x'), {})).rejects.toThrow(
      /cannot be used for runs: .*Choose another/,
    );
  });

  it('takes the next folder while another process uses the first', async () => {
    // A process of its own: within one process the lock is known without the file.
    const lockfile = new URL('../../../../node_modules/proper-lockfile/index.js', import.meta.url).pathname;
    const holder = spawn(process.execPath, [
      '-e',
      `require(${JSON.stringify(lockfile)}).lock(${JSON.stringify(join(root, 'a'))}, { realpath: false }).then(() => console.log('held'));
       setTimeout(() => {}, 60000);`,
    ]);
    await once(holder.stdout, 'data');
    try {
      let waited = false;
      const group = await openRunGroup(join(root, 'a'), {}, { onWait: () => (waited = true) });
      expect([group.path, waited]).toEqual([join(root, 'a-2'), true]);
      await group.release();
    } finally {
      holder.kill('SIGKILL');
    }
    // The lock of the killed process goes stale, and the folder is free again.
    const group = await openRunGroup(join(root, 'a'), {});
    expect(group.path).toBe(join(root, 'a'));
    await group.release();
  }, 60_000);
});

describe('RunFolder', () => {
  it('keeps configuration, a line per epoch, weights, predictions and summary', async () => {
    const group = await openRunGroup(join(root, 'a'), {});
    const folder = group.run('joint');
    const model = toyModel(['loud', 'quiet'], 3);
    expect(folder.summary()).toBeUndefined();
    folder.begin({ name: 'joint' });
    folder.append({ epoch: 1, learningRate: 0.1, seconds: 1, loss: { total: 2 }, train: { fused: 50 } });
    folder.append({ epoch: 2, learningRate: 0.1, seconds: 1, loss: { total: 1 }, train: { fused: 60 } });
    const lines = readFileSync(join(folder.path, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).loss.total)).toEqual([2, 1]);

    const test = await evaluate(inferenceOf(model), toyDataset('test', 9, 1));
    const summary = {
      name: 'joint',
      seed: 3,
      epochs: 2,
      seconds: 2,
      selectedEpoch: 2,
      validation: { fused: 1 },
    };
    folder.finish({ model, test, classNames: ['a', 'b', 'c'], summary });
    expect(folder.summary()).toEqual({ ...summary, test: test.accuracy, confusion: test.confusion });
    expect(json(join(folder.path, 'predictions.json')).labels).toEqual(test.labels);

    const other = toyModel(['loud', 'quiet'], 4);
    folder.loadWeights(other);
    expect(readState(other)).toEqual(readState(model));

    writeFileSync(join(folder.path, 'summary.json'), '{"name": "jo');
    expect(folder.summary()).toBeUndefined();
    folder.begin({ name: 'joint' });
    expect(existsSync(join(folder.path, 'summary.json'))).toBe(false);
    await group.release();
  });
});
