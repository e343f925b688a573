import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { G2DError, OptionError } from '@g2d/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig } from '../../test/toy-config.js';
import { parseConfig } from '../read-config.js';
import { readAttempt } from './attempt.js';
import { localEngine, type Worker } from './local-engine.js';
import type { PlannedRun } from './plan.js';
import { trainQueued } from './train-queued.js';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'g2d-queued-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const SUMMARY = fileURLToPath(new URL('../../test/fixtures/version-1/g2d/summary.json', import.meta.url));
function finish(id: string): void {
  mkdirSync(join(out, id), { recursive: true });
  copyFileSync(SUMMARY, join(out, id, 'summary.json'));
}
const config = parseConfig(toyConfig());
const run: PlannedRun = { id: 'seed-0/g2d', needs: ['teacher'], config };
const reporter = { begin() {}, epoch() {}, finished() {}, failed() {}, note() {} };
const died =
  (end: number | string): Worker =>
  async () => {
    throw new G2DError('G2D_RUN_FAILED', `Its process ended with ${end}.`, { end });
  };
const train = (worker: Worker, options: { job?: string; retries?: number; signal?: AbortSignal } = {}) =>
  trainQueued(run, { out, worker, retries: 1, reporter, signal: new AbortController().signal, ...options });

describe('trainQueued', () => {
  it('waits for its teachers, trains once, and is finished from then on', async () => {
    const never: Worker = () => Promise.reject(new Error('trained'));
    const why = 'what it needs is not finished: teacher';
    expect(await train(never)).toEqual({ exit: 4, why, again: false });
    expect(readAttempt(out, run.id)).toMatchObject({ exit: 4, why });
    finish('teacher');
    const worker: Worker = async () => {
      expect(readAttempt(out, run.id)).toMatchObject({ tries: 1, job: '7_0' });
      expect(readAttempt(out, run.id)?.exit).toBeUndefined();
      finish(run.id);
      return 'finished';
    };
    expect(await train(worker, { job: '7_0' })).toEqual({ exit: 0, again: false });
    expect(readAttempt(out, run.id)).toMatchObject({ tries: 1, exit: 0, job: '7_0' });
    expect(await train(never)).toEqual({ exit: 0, again: false });
  });

  it('tries again what may pass, so often in one job, and never what its user has to put right', async () => {
    finish('teacher');
    expect(await train(died('SIGKILL'), { job: '7_0' })).toMatchObject({ exit: 1, again: true });
    expect(await train(died(139), { job: '7_0' })).toMatchObject({ exit: 1, again: false });
    expect(readAttempt(out, run.id)).toMatchObject({ tries: 2, why: 'Its process ended with 139.' });
    expect(await train(died(139), { job: '8_0' })).toMatchObject({ again: true });
    expect(await train(died(2), { job: '9_0' })).toMatchObject({ exit: 2, again: false });
  });

  it('does not count that it was stopped', async () => {
    finish('teacher');
    const controller = new AbortController();
    const worker: Worker = async () => {
      controller.abort('SIGTERM');
      return 'interrupted';
    };
    for (let i = 0; i < 5; i++) {
      const { exit, again } = await train(async () => 'interrupted', { job: '7_0' });
      expect([exit, again]).toEqual([143, true]);
    }
    expect(await train(worker, { job: '7_0', signal: controller.signal })).toMatchObject({ exit: 143 });
    expect(readAttempt(out, run.id)).toMatchObject({ tries: 0, exit: 143 });
    expect(await train(died('SIGKILL'), { job: '7_0' })).toMatchObject({ exit: 1, again: true });
  });
});

describe('retries on this machine', () => {
  const a: PlannedRun = { id: 'a', needs: [], config };
  const attempts = async (worker: Worker, retries: number): Promise<[count: number, failures: string[]]> => {
    let count = 0;
    const failures: string[] = [];
    const counted: Worker = (planned, context) => {
      count += 1;
      return worker(planned, context);
    };
    await localEngine({ worker: counted, retries }).run([a], {
      out,
      signal: new AbortController().signal,
      reporter: { ...reporter, failed: (_, why) => failures.push(why) },
    });
    return [count, failures];
  };

  it('are of what may pass', async () => {
    expect(await attempts(died('SIGKILL'), 2)).toEqual([3, ['Its process ended with SIGKILL.']]);
    expect(readAttempt(out, 'a')).toMatchObject({ tries: 3, exit: 1 });
    expect(await attempts(died(2), 2)).toEqual([1, ['Its process ended with 2.']]);
    const wrong = new OptionError('wrong', { option: 'x', value: 1, accepted: '2' });
    expect(await attempts(() => Promise.reject(wrong), 2)).toEqual([1, ['wrong']]);
    expect(await attempts(died(1), 0)).toEqual([1, ['Its process ended with 1.']]);
    let first = true;
    const once: Worker = async (planned, context) => {
      if (first) {
        first = false;
        return died('SIGSEGV')(planned, context);
      }
      finish('a');
      return 'finished';
    };
    expect(await attempts(once, 1)).toEqual([2, []]);
    expect(readAttempt(out, 'a')).toBeUndefined();
  });
});
