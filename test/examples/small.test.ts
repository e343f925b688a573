// The commands under "Try it" of each dataset's README, as they stand there: teachers, joint training, G2D, comparison, on the tiny
// trees of the loaders' tests. Two modalities, three, and a regression.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../packages/cli/src/main.js';
import { commands, DATASETS, NAMES, optionOf, root, type DatasetName } from './examples.js';

// Paths in the commands are relative to the repository; what they write goes here.
const folder = mkdtempSync(join(tmpdir(), 'g2d-examples-'));
const before = process.cwd();
beforeAll(() => {
  for (const name of ['examples', 'test']) symlinkSync(join(root, name), join(folder, name));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
type Run = (args: readonly string[]) => Promise<Result>;

const inProcess: Run = async (args) => {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, {
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
  });
  return { code, stdout, stderr };
};
const inChild: Run = async (args) => {
  const command = join(root, 'packages/cli/bin/g2d.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
};

interface EpochLine {
  readonly epoch: number;
  readonly loss: Readonly<Record<string, number>>;
  readonly confidence?: Readonly<Record<string, number>>;
  readonly coefficients?: Readonly<Record<string, number>>;
}
interface Summary {
  readonly task: string;
  readonly kind: string;
  readonly selectedEpoch: number;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
}
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const epochs = (run: string): EpochLine[] =>
  read(run, 'metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EpochLine);
const values = (record: Readonly<Record<string, number>> | undefined): number[] =>
  Object.values(record ?? {});
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Runs a dataset's commands in their order, and gives back their run folders by name. */
async function runAll(dataset: DatasetName, run: Run): Promise<Readonly<Record<string, string>>> {
  const folders: Record<string, string> = {};
  for (const command of commands(dataset, '/small.json')) {
    const { code, stderr } = await run([...command, '--quiet']);
    expect(stderr).not.toMatch(/^g2d:/m);
    expect(code).toBe(0);
    const out = optionOf(command, '--out') as string;
    folders[out.split('/').at(-1) as string] = out;
  }
  return folders;
}

describe.each(NAMES)('the small example of %s', (dataset) => {
  const modalities: readonly string[] = DATASETS[dataset];
  const [task, score] =
    dataset === 'mis-me' ? ['regression', 'meanAbsolutePercentageError'] : ['classification', 'accuracy'];
  let runs: Readonly<Record<string, string>>;

  it('trains teachers, joint training and G2D by the commands of its README', async () => {
    // One as a process of its own; the others in this one, which saves the start of each.
    const tensors = tf.memory().numTensors;
    runs = await runAll(dataset, dataset === 'ur-funny' ? inChild : inProcess);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(Object.keys(runs)).toEqual([...modalities.map((name) => `teacher-${name}`), 'joint', 'g2d']);
  });

  it('leaves whole run folders with finite numbers for every head', () => {
    for (const [name, path] of Object.entries(runs)) {
      const isTeacher = name.startsWith('teacher-');
      const heads = isTeacher ? [name.slice('teacher-'.length)] : ['fused', ...modalities];
      const summary = JSON.parse(read(path, 'summary.json')) as Summary;
      expect(summary).toMatchObject({ task, kind: isTeacher ? 'teacher' : 'student' });
      for (const split of ['validation', 'test']) {
        const metrics = summary.metrics[split] as Summary['metrics'][string];
        expect(Object.keys(metrics)).toEqual(heads);
        expect(Object.values(metrics).every((head) => Number.isFinite(head[score as string]))).toBe(true);
      }
      const lines = epochs(path);
      expect(lines.map(({ epoch }) => epoch)).toEqual(lines.map((_, i) => i + 1));
      expect(lines.flatMap(({ loss }) => values(loss)).every(Number.isFinite)).toBe(true);
      expect(readdirSync(join(path, 'checkpoints')).length).toBeGreaterThan(0);
      expect(readdirSync(join(path, 'tensorboard')).length).toBeGreaterThan(0);
      expect(existsSync(join(path, 'report.html'))).toBe(true);
    }
  });

  it('trains one modality at a time in the phases of G2D, and all of them in the last', () => {
    expect(epochs(runs['joint'] as string).every(({ coefficients }) => coefficients === undefined)).toBe(
      true,
    );
    const lines = epochs(runs['g2d'] as string);
    // small.json has phases of one epoch, as many as modalities.
    expect(lines).toHaveLength(modalities.length);
    for (const { confidence, coefficients, loss } of lines) {
      expect(Object.keys(coefficients ?? {})).toEqual(modalities);
      expect(values(confidence).every((rho) => rho > 0 && rho <= 1)).toBe(true);
      expect(Object.keys(loss)).toEqual(['total', 'student', 'feature', 'logit']);
    }
    const shares = lines.map(({ coefficients }) => values(coefficients));
    // Means over the steps: in each of them, the coefficient of one modality is 1, those of the others are 0.
    for (const share of shares.slice(0, -1)) expect(sum(share)).toBeCloseTo(1, 6);
    expect(shares.at(-1)).toEqual(modalities.map(() => 1));
  });

  it('is compared in one table', async () => {
    const [command] = commands(dataset, `compare runs/${dataset}-small/*`);
    const paths = Object.values(runs);
    const { code, stdout } = await inProcess([(command as readonly string[])[0] as string, ...paths]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Joint training/);
    expect(stdout).toMatch(/G2D/);
  });
});
