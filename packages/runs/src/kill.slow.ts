// Runs on the small AV-MNIST that are killed at random moments, at least 50 times, end exactly as runs that never were: every
// weight, every momentum, every metric and every prediction, bit for bit.
import { randomStream } from '@g2d/tensor-ops';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContents } from '../test/kill/contents.js';

const repository = resolve(import.meta.dirname, '../../..');
const root = mkdtempSync(join(tmpdir(), 'g2d-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const EPOCHS = 3;
/** Of each method. Together with the others at least 50. */
const KILLS = 17;

/** Few evaluations, and a checkpoint after almost every step, so that most kills hit training or saving. */
const ARGS = [
  join(repository, 'examples/av-mnist-small/small.json'),
  '--quiet',
  '--json',
  `--epochs=${EPOCHS}`,
  '--set=evaluation.splits=["validation"]',
  '--set=checkpoints.minutes=0.001',
  `--set=teachers.audio=${join(root, 'teacher-audio')}`,
  `--set=teachers.image=${join(root, 'teacher-image')}`,
];

const METHODS: Readonly<Record<string, readonly string[]>> = {
  joint: [],
  g2d: ['--set=methodOptions.smp.phaseEpochs=[1,2]', '--set=methodOptions.smp.ranking="epoch"'],
  mla: ['--set=methodOptions.mla={"width":32,"projection":true}'],
};

const start = (args: readonly string[]) =>
  spawn(process.execPath, [join(repository, 'packages/cli/bin/g2d.js'), 'train', ...ARGS, ...args], {
    cwd: repository,
    stdio: ['ignore', 'ignore', 'pipe'],
  });

async function finished(args: readonly string[]): Promise<void> {
  const child = start(args);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code, errors).toBe(0);
}

/** Kills a run at a moment after it has begun (a checkpoint or its first event file is there), if it still runs then. */
async function killed(out: string, args: readonly string[], afterMs: number): Promise<boolean> {
  const before = eventFiles(out);
  const child = start([...args, '--out', out, '--resume']);
  child.stderr.resume();
  const closed = once(child, 'close');
  while (child.exitCode === null && eventFiles(out) === before) await sleep(10);
  await Promise.race([sleep(afterMs), closed]);
  const runs = child.exitCode === null && child.signalCode === null;
  child.kill('SIGKILL');
  await closed;
  return runs;
}

/** Every process that gets as far as training opens one of its own. */
const eventFiles = (out: string): number => {
  const folder = join(out, 'tensorboard');
  return existsSync(folder) ? readdirSync(folder).length : 0;
};

describe('a killed run', () => {
  beforeAll(async () => {
    for (const modality of ['audio', 'image']) {
      await finished(['--teacher', modality, '--out', join(root, `teacher-${modality}`)]);
    }
  }, 300_000);

  it.each(Object.entries(METHODS))(
    `goes on as if nothing had been: %s, killed ${KILLS} times`,
    async (method, options) => {
      const args = ['--method', method, ...options];
      const whole = join(root, `${method}-whole`);
      await finished([...args, '--out', whole]);
      const expected = runContents(whole);
      const random = randomStream(method.length);
      let kills = 0;
      for (let run = 0; kills < KILLS; run++) {
        const out = join(root, `${method}-${run}`);
        // Short at first, so that a run is killed several times before it ends.
        while (kills < KILLS && (await killed(out, args, 900 * random.uniform()))) kills += 1;
        await finished([...args, '--out', out, '--resume']);
        expect(runContents(out)).toEqual(expected);
        rmSync(out, { recursive: true });
      }
      expect(kills).toBeGreaterThanOrEqual(KILLS);
    },
    900_000,
  );
});
