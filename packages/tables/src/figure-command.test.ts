// `g2d figure` as a user types it, on toy data in the place of CREMA-D; its CSV next to what the run folders say.
import { parse } from 'csv-parse/sync';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../cli/src/main.js';
import { toyConfig } from '../../runs/test/toy-config.js';

const home = process.cwd();
const root = mkdtempSync(join(tmpdir(), 'g2d-figure-'));
const at = (...path: string[]): string => join(root, ...path);
const SEEDS = [0, 1, 2];

function put(path: string, value: unknown): void {
  mkdirSync(at(path, '..'), { recursive: true });
  writeFileSync(at(path), JSON.stringify(value));
}

beforeAll(() => {
  process.env['G2D_BACKEND'] = 'cpu';
  process.chdir(root);
  const settings = {
    methodOptions: { smp: { phaseEpochs: [1, 2], scope: 'encoder' } },
    evaluation: { splits: ['validation', 'test'], every: 1 },
    checkpoints: { keepEvery: 2 },
  };
  put('examples/crema-d/paper.json', toyConfig(settings));
  const sweep = (name: string, method: readonly string[]) => ({
    name,
    out: 'runs/tables/paper',
    grid: { dataset: ['../crema-d/paper.json'], method, seed: SEEDS },
  });
  for (const name of ['figure-1', 'figure-4-crema-d', 'figure-5', 'figure-6'])
    put(`examples/tables/${name}.paper.json`, sweep(name, ['joint', 'g2d']));
  put('examples/tables/figure-3.paper.json', sweep('figure-3', ['g2d']));
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

async function figure(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(['figure', ...args, '--scale', 'paper', '--quiet', '--trust'], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  });
  return { code, out, err };
}

type Row = Readonly<Record<string, string>>;
const rowsOf = (number: number): Row[] =>
  parse(readFileSync(at(`out/figure-${number}.csv`)), { columns: true }) as Row[];
const valueOf = (rows: readonly Row[], wanted: Row): number => {
  const found = rows.filter((row) => Object.entries(wanted).every(([key, value]) => row[key] === value));
  expect(found, JSON.stringify(wanted)).toHaveLength(1);
  return Number(found[0]!['value']);
};

const folder = (seed: number, name: string): string => at(`runs/tables/paper/crema-d/seed-${seed}`, name);
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

/** The mean probability of the true class of a run's head, from what it wrote for each test sample. */
function confidenceIn(seed: number, name: string, head: string): number {
  const { labels, probabilities } = json(folder(seed, name), 'predictions.json');
  const rows = probabilities[head] as number[][];
  return rows.reduce((sum, row, i) => sum + row[labels[i]]!, 0) / rows.length;
}

describe('g2d figure', () => {
  it('trains what is missing, once for all figures, and draws Figure 1', async () => {
    const plan = await figure('1', '--dry-run');
    expect(plan.out).toContain('Planned: 6 students and 6 teachers');
    expect(plan.out).toContain('To be trained: 12 runs');
    expect(existsSync(at('runs'))).toBe(false);

    const { code, out, err } = await figure('1', '--out', 'out');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Figure 1. Heads over the epochs, CREMA-D (mean of 3 seeds)');
    expect(out).toMatch(/F1\.3 fused: G2D − the best teacher > 0 +CREMA-D/);
    const rows = rowsOf(1);
    for (const seed of SEEDS) {
      const { test } = json(folder(seed, 'g2d'), 'summary.json');
      const own = { method: 'g2d', head: 'fused', seed: String(seed) };
      expect(valueOf(rows, { ...own, epoch: '' })).toBe(test.fused);
      const teacher = json(folder(seed, 'teacher-loud'), 'summary.json').test.loud;
      expect(valueOf(rows, { method: 'teacher', head: 'loud', seed: String(seed), epoch: '' })).toBe(teacher);
    }
    expect(readFileSync(at('out/figure-1.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect([...readFileSync(at('out/figure-1.png')).subarray(0, 8)]).toEqual([
      137, 80, 78, 71, 13, 10, 26, 10,
    ]);
    expect(readFileSync(at('out/figure-1.md'), 'utf8')).toContain('![Figure 1. ');

    const before = statSync(join(folder(0, 'g2d'), 'summary.json')).mtimeMs;
    const again = readFileSync(at('out/figure-1.csv'));
    expect((await figure('1', '--out', 'out')).code).toBe(0);
    expect(statSync(join(folder(0, 'g2d'), 'summary.json')).mtimeMs).toBe(before);
    expect(readFileSync(at('out/figure-1.csv'))).toEqual(again);
  });

  it('draws Figure 3 from what every epoch recorded', async () => {
    const { code, out } = await figure('3', '--out', 'out', '--no-train');
    expect(code).toBe(0);
    expect(out).toMatch(/F3\.1 share of epochs/);
    const rows = rowsOf(3);
    const [first] = readFileSync(join(folder(1, 'g2d'), 'metrics.jsonl'), 'utf8').split('\n');
    const { confidence, confidenceHigh, leastConfident } = JSON.parse(first as string);
    const where = { head: 'quiet', seed: '1', epoch: '1', split: 'train' };
    expect(valueOf(rows, { quantity: 'confidence', ...where })).toBe(confidence.quiet);
    expect(valueOf(rows, { quantity: 'confidenceHigh', ...where })).toBe(confidenceHigh.quiet);
    expect(valueOf(rows, { quantity: 'leastConfident', ...where })).toBe(leastConfident.quiet);
  });

  it('draws Figure 4 with gaps of the full space, also of the initial weights', async () => {
    const { code } = await figure('4', '--out', 'out', '--no-train', '--space', 'logits');
    expect(code).toBe(0);
    const rows = rowsOf(4);
    for (const seed of ['0', '2']) {
      const of = (method: string, epoch: string) =>
        valueOf(rows, { quantity: 'featureGap', method, seed, epoch });
      // Both begin with the same weights.
      expect(of('joint', '0')).toBe(of('g2d', '0'));
      expect(of('joint', '')).not.toBe(of('g2d', ''));
      expect(of('joint', '')).toBeGreaterThan(0);
    }
    // 30 samples of two modalities, in each of the two runs of the first seed.
    const points = rows.filter(({ quantity }) => quantity === 'component1');
    expect(points).toHaveLength(120);
    expect(new Set(points.map(({ seed }) => seed))).toEqual(new Set(['0']));
  });

  it('draws Figure 5 at the selected epoch and at those that were kept', async () => {
    const { code, out } = await figure('5', '--out', 'out', '--no-train');
    expect(code).toBe(0);
    expect(out).toMatch(/F5\.1 alignment of loud: G2D − joint training > 0/);
    const rows = rowsOf(5);
    const where = { method: 'g2d', head: 'loud', seed: '0' };
    const [alignment, baseline, above] = ['alignment', 'alignmentBaseline', 'alignmentAboveBaseline'].map(
      (quantity) => valueOf(rows, { quantity, ...where, epoch: '' }),
    );
    expect(above).toBeCloseTo(alignment! - baseline!, 12);
    expect(Math.abs(alignment!)).toBeLessThanOrEqual(1);
    expect(valueOf(rows, { quantity: 'alignment', ...where, epoch: '2' })).not.toBe(alignment);
  });

  it('draws Figure 6: a student over its teacher', async () => {
    const { code } = await figure('6', '--out', 'out', '--no-train');
    expect(code).toBe(0);
    const rows = rowsOf(6);
    for (const [seed, method] of [
      [0, 'joint'],
      [2, 'g2d'],
    ] as const) {
      const ratio = confidenceIn(seed, method, 'quiet') / confidenceIn(seed, 'teacher-quiet', 'quiet');
      const where = { quantity: 'confidenceRatio', method, head: 'quiet', seed: String(seed), split: 'test' };
      expect(valueOf(rows, where)).toBeCloseTo(ratio, 4);
    }
    expect(rows.filter(({ split }) => split === 'train')).toHaveLength(rows.length / 2);
  });

  it('says what it cannot draw, and draws nothing', async () => {
    for (const [args, message] of [
      [['2'], 'Figure 2 is a drawing of the method; Figures 1, 3, 4, 5, 6 show results.'],
      [[], 'N is missing'],
      [['4', '--space', 'pixels'], '--space is "pixels"; it can be features, logits.'],
      [['1', '--space', 'logits'], '--space is for Figure 4'],
      [['1', '--no-train', '--seeds', '9'], 'No student of Figure 1 is finished.'],
    ] as const) {
      const { code, err } = await figure(...args);
      expect([code, err], args.join(' ')).toEqual([2, expect.stringContaining(message)]);
    }
    expect(existsSync(at('runs/figures'))).toBe(false);
  });

  it('leaves out a folder that was edited, and says so', async () => {
    const path = join(folder(2, 'joint'), 'config.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"batchSize": 20', '"batchSize": 21'));
    expect(readFileSync(path, 'utf8')).not.toBe(text);
    try {
      const { code, out } = await figure('1', '--out', 'out', '--no-train');
      expect(code).toBe(0);
      expect(out).toContain('mean of 2 seeds');
      expect(out).toContain("1 of the figure's students is not finished, and not in it.");
      expect(out).toContain('these are other settings than the sweep plans');
    } finally {
      writeFileSync(path, text);
    }
  });
});
