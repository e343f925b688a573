// One run on several processes, started by a Slurm that is there (`start-slurm.sh` starts one) and by OpenMPI's mpirun (apt-get install openmpi-bin).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunFolder } from '@g2d/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../../runs/test/toy-config.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-launchers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const bin = resolve(import.meta.dirname, '../bin/g2d.js');
const config = join(root, 'toy.json');
const long = join(root, 'long.json');

const LAUNCHERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  // A rank that is lost ends the step.
  srun: ['srun', '-n', '2', '--overcommit', '--kill-on-bad-exit=1'],
  mpirun: ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', '2'],
};

beforeAll(() => {
  for (const [program] of Object.values(LAUNCHERS)) execFileSync(program, ['--version']);
  writeFileSync(config, JSON.stringify(toyConfig()));
  writeFileSync(long, JSON.stringify(toyConfig({ epochs: 5000 })));
});

function start(command: readonly string[]) {
  const [program, ...args] = command as readonly [string, ...string[]];
  const one = { OMP_NUM_THREADS: '1', TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
  const child = spawn(program, args, { env: { ...process.env, ...one }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { child, end: once(child, 'close').then(([code]) => ({ code: code as number | null, said })) };
}

const train = (file: string, out: string, ...more: readonly string[]): readonly string[] => [
  process.execPath,
  bin,
  'train',
  file,
  '--quiet',
  '--out',
  out,
  ...more,
];
const weights = (out: string): number[] =>
  Object.values(new RunFolder(out).weights('last')).flatMap(({ values }) => [...values]);

describe.each(Object.entries(LAUNCHERS))('%s', (name, launcher) => {
  it('trains what one process trains', async () => {
    const [one, two] = [join(root, `${name}-one`), join(root, `${name}-two`)];
    const alone = await start(train(config, one)).end;
    expect(alone.code, alone.said).toBe(0);
    const together = await start([...launcher, ...train(config, two)]).end;
    expect(together.code, together.said).toBe(0);
    expect(together.said).toContain('g2d: 2 processes (0: ');
    const [a, b] = [weights(one), weights(two)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-6);
  }, 180_000);

  it('ends with a process that is killed, and the run is saved', async () => {
    const out = join(root, `${name}-killed`);
    const { child, end } = start([...launcher, ...train(long, out)]);
    while (!existsSync(join(out, 'checkpoints/last/state.json')) && child.exitCode === null) await sleep(50);
    // The second one, by what it was started as.
    execFileSync('pkill', ['-9', '-n', '-f', `train ${long} --quiet --out ${out}`]);
    const before = Date.now();
    const { code } = await end;
    expect(code).not.toBe(0);
    expect(Date.now() - before).toBeLessThan(40_000);
    const epochs = (new RunFolder(out).lastRecord()?.epoch ?? 0) + 2;
    const { code: resumed, said } = await start(train(long, out, '--resume', `--epochs=${epochs}`)).end;
    expect(resumed, said).toBe(0);
  }, 240_000);
});
