// Trains runs one after another, goes on with those that have begun, and kills itself on the way: `node program PLAN FIRST`.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { parseConfig, trainRun } from '../../src/index.js';
import type { Kill, KillPlan } from './plan.js';

const die = (): void => void process.kill(process.pid, 'SIGKILL');

async function main(path: string, first: number): Promise<void> {
  await tf.setBackend('cpu');
  const { runs, kills } = JSON.parse(readFileSync(path, 'utf8')) as KillPlan;
  const next: Kill | undefined = kills[first];
  // Those before have been finished by an earlier process.
  const from = first === 0 ? 0 : runs.findIndex(({ id }) => id === kills[first - 1]?.run);
  for (const { id, out, config } of runs.slice(from)) {
    let done = Number.NaN;
    let reads = 0;
    Object.assign(globalThis, {
      g2dSampleIsRead: () => {
        if (id === next?.run && next.reads !== undefined && done >= next.step && ++reads === next.reads)
          die();
      },
    });
    await trainRun(parseConfig(config), {
      out,
      resume: true,
      reporter: {
        begin: (progress) => void (done = progress.done),
        step: () => {
          done += 1;
          if (id === next?.run && next.reads === undefined && done === next.step) die();
        },
        epoch: () => {},
        note: () => {},
      },
    });
    if (id === next?.run) throw new Error(`${id} ended before the kill at ${JSON.stringify(next)}.`);
  }
}

await main(process.argv[2] as string, Number(process.argv[3]));
