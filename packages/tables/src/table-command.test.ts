// `g2d table` as a user types it, on toy data in the place of CREMA-D.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../cli/src/main.js';
import { toyConfig } from '../../runs/test/toy-config.js';
import type { PrintedTable } from './render/printed-table.js';

const home = process.cwd();
const root = mkdtempSync(join(tmpdir(), 'g2d-table-'));
const at = (...path: string[]): string => join(root, ...path);
const METHODS = ['joint', 'smp', 'umt', 'umt+smp', 'g2d-loss', 'g2d'];
const SEEDS = [0, 1, 2];

function put(path: string, value: unknown): void {
  mkdirSync(at(path, '..'), { recursive: true });
  writeFileSync(at(path), JSON.stringify(value));
}

beforeAll(() => {
  process.env['G2D_BACKEND'] = 'cpu';
  process.chdir(root);
  const options = { smp: { phaseEpochs: [1, 2], scope: 'encoder' }, umt: { lambda: 1 } };
  put('examples/crema-d/paper.json', toyConfig({ methodOptions: options }));
  put('examples/vgg-sound/paper.json', toyConfig({ dataset: { name: 'vgg-sound', root: 'nowhere' } }));
  const sweep = (name: string, grid: object) => ({ name, out: 'runs/tables/paper', grid });
  const dataset = ['../crema-d/paper.json'];
  put('examples/tables/table-4.paper.json', sweep('table-4', { dataset, method: METHODS, seed: SEEDS }));
  put(
    'examples/tables/table-9.paper.json',
    sweep('table-9', { dataset, method: ['joint', 'umt'], seed: SEEDS }),
  );
  const absent = { dataset: ['../vgg-sound/paper.json'], method: ['joint'], seed: [0] };
  put('examples/tables/table-8.paper.json', sweep('table-8', absent));
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

const table = async (...args: string[]): Promise<PrintedTable> => {
  const { code, out, err } = await g2d(
    'table',
    '4',
    '--scale',
    'paper',
    '--quiet',
    '--format',
    'json',
    ...args,
  );
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as PrintedTable;
};

/** As the run's own file has it. */
const scoreOf = (method: string, seed: number): number => {
  const path = at(`runs/tables/paper/crema-d/seed-${seed}`, method, 'summary.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { test: { fused: number } }).test.fused;
};

describe('g2d table', () => {
  it('says what it would train, trains it, and nothing twice', async () => {
    const dry = await g2d('table', '4', '--scale', 'paper', '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '' });
    // Two teachers of each seed.
    expect(dry.out).toMatch(/^Planned: 18 students and 6 teachers, in runs\/tables\/paper: /);
    expect(dry.out).toMatch(/To be trained: 24 runs: \d+ joint steps/);

    const first = await table();
    const summary = at('runs/tables/paper/crema-d/seed-0/g2d/summary.json');
    const written = statSync(summary).mtimeMs;
    expect(await table()).toEqual(first);
    expect(statSync(summary).mtimeMs).toBe(written);
    // The other table has no run of its own.
    const other = await g2d('table', '9', '--scale', 'paper', '--dry-run');
    expect(other.out).toMatch(/Finished: 12\.\nTo be trained: nothing\./);
    const listed = await g2d('tables', '--scale', 'paper');
    expect(listed.out).toMatch(/g2d table 4 .* 24 of 24 .*crema-d/);
    expect(listed.out).toMatch(/g2d table 12 /);
  });

  it('has the numbers and the verdicts of the run folders', async () => {
    const printed = await table('--no-train');
    const rows = printed.grids[0]!.rows;
    const score = (row: string): number => rows.find(({ label }) => label === row)?.cells[0]?.mean as number;
    const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    const own = (method: string): number[] => SEEDS.map((seed) => scoreOf(method, seed));
    expect(score('Joint-Train, SMP ✗')).toBeCloseTo(mean(own('joint')), 10);
    expect(score('G2D loss, SMP ✓')).toBeCloseTo(mean(own('g2d')), 10);
    for (const [id, left, right] of [
      ['T4.1', 'smp', 'joint'],
      ['T4.2', 'umt+smp', 'umt'],
      ['T4.3', 'g2d', 'g2d-loss'],
    ] as const) {
      const d = SEEDS.map((seed) => scoreOf(left, seed) - scoreOf(right, seed));
      const deviation = Math.sqrt(d.reduce((sum, x) => sum + (x - mean(d)) ** 2, 0) / 2);
      // t of two degrees of freedom at 95 %.
      const half = (4.302652729696142 * deviation) / Math.sqrt(3);
      const expected = mean(d) - half > 0 ? 'holds' : mean(d) + half < 0 ? 'fails' : 'open';
      const claim = printed.claims.find((one) => one.id === id);
      expect(claim).toMatchObject({ verdict: expected, n: 3 });
      expect(claim?.interval?.lower).toBeCloseTo(mean(d) - half, 8);
    }
  });

  it('is the same from collected results, without the runs', async () => {
    const here = await table('--no-train');
    const { code, out } = await g2d('tables', 'collect', '--scale', 'paper', '--out', 'results.json');
    expect([code, out]).toEqual([0, '24 runs in results.json\n']);
    renameSync(at('runs'), at('elsewhere'));
    const there = await table('--results', 'results.json');
    const { notes, command: _, ...rest } = there;
    const { notes: before, command: __, ...same } = here;
    expect(rest).toEqual(same);
    expect(notes.filter((note) => !before.includes(note))).toEqual([
      '24 of the runs were trained elsewhere, and are from a file of results.',
    ]);
    const dry = await g2d('table', '4', '--scale', 'paper', '--dry-run', '--results', 'results.json');
    expect(dry.out).toContain('To be trained: nothing.');
    rmSync(at('runs'), { recursive: true, force: true });
    renameSync(at('elsewhere'), at('runs'));
  });

  it('trains the teachers again that a missing student needs', async () => {
    renameSync(at('runs'), at('elsewhere'));
    const file = JSON.parse(readFileSync(at('results.json'), 'utf8')) as {
      runs: { method: string; seed: number }[];
    };
    file.runs = file.runs.filter(({ method, seed }) => method !== 'umt' || seed !== 1);
    writeFileSync(at('part.json'), JSON.stringify(file));
    const dry = await g2d('table', '4', '--scale', 'paper', '--dry-run', '--results', 'part.json');
    expect(dry.out).toMatch(/Finished: 0; 23 more from files of results\.\nTo be trained: 3 runs/);
    renameSync(at('elsewhere'), at('runs'));
  });

  it('names a folder that was edited by hand, and leaves out its cell', async () => {
    const folder = at('runs/tables/paper/crema-d/seed-1/umt');
    cpSync(folder, at('copy'), { recursive: true });
    const edit = (name: string, change: (text: string) => string): void =>
      writeFileSync(join(folder, name), change(readFileSync(join(at('copy'), name), 'utf8')));
    const asIs = (text: string): string => text;
    const umt = (printed: PrintedTable) =>
      printed.grids[0]?.rows.find(({ label }) => label === 'UMT, SMP ✗')?.cells[0]?.seeds;
    edit('summary.json', (text) => {
      const summary = JSON.parse(text) as { test: object };
      return JSON.stringify({ ...summary, test: { ...summary.test, fused: 99.9 } });
    });
    const better = await table('--no-train');
    expect(umt(better)).toEqual([0, 2]);
    expect(better.notes.find((note) => note.includes('99.90'))).toMatch(
      /umt\/summary\.json: the accuracy of fused is 99\.90, and predictions\.json beside it has/,
    );
    edit('summary.json', asIs);
    edit('config.json', (text) => text.replace(/"epochs": ?3/, '"epochs": 4'));
    const other = await table('--no-train');
    expect(umt(other)).toEqual([0, 2]);
    expect(other.notes.find((note) => note.includes('other settings'))).toMatch(
      /umt\/config\.json: these are other settings than the sweep plans/,
    );
    edit('config.json', asIs);
    edit('summary.json', (text) => text.slice(1));
    expect((await table('--no-train')).notes.some((note) => note.includes('umt'))).toBe(true);
    rmSync(folder, { recursive: true });
    renameSync(at('copy'), folder);
    expect(umt(await table('--no-train'))).toEqual(SEEDS);
  });

  it('writes every format', async () => {
    for (const [file, beginning] of [
      ['a.txt', 'Table 4. SMP on other methods\n'],
      ['a.md', '### Table 4. SMP on other methods\n'],
      ['a.csv', 'table,scale,protocol,part,row,column,'],
      ['a.tex', String.raw`% \usepackage{booktabs, amssymb, graphicx}`],
      ['a.html', '<!doctype html>\n'],
    ] as const) {
      const { code, out } = await g2d('table', '4', '--scale', 'paper', '--no-train', '--out', file);
      expect([code, out]).toEqual([0, '']);
      expect(readFileSync(at(file), 'utf8').startsWith(beginning), file).toBe(true);
    }
  });

  it.each([
    [['table'], /^g2d: N is missing; the paper has Tables 1 to 12/],
    [['table', '13'], /There is no Table 13; the paper has Tables 1 to 12, and g2d tables lists them\./],
    [['table', '4', '5'], /"5" is one argument too many/],
    [['table', '4', '--scale', 'large'], /--scale is "large"; it can be smoke, small, paper\./],
    [['table', '4', '--scale', 'small'], /There is no sweep of table-4 at the scale small\./],
    [['table', '4', '--scale', 'paper', '--seeds', '1,x'], /--seeds is "x"; it must be a whole number/],
    [['table', '4', '--scale', 'paper', '--seeds', '1,1'], /--seeds is "1,1"; each seed counts once\./],
    [
      ['table', '4', '--format', 'word'],
      /--format is "word"; it can be text, markdown, csv, latex, html, json\./,
    ],
    [['table', '4', '--scale', 'paper', '--protocol', 'published'], /has one protocol, and no name for it/],
    [['table', '4', '--scale', 'paper', '--results', 'none.json'], /there is no such file/],
    [['table', '4', '--literal'], /--literal is of Table 7, and this is Table 4\. Leave it out\./],
    [['table', '8', '--scale', 'paper'], /None of the table's data are there; vgg-sound: .*nowhere/],
    [['tables', 'collect'], /--out is missing/],
    [['tables', '4'], /g2d table 4 prints one table/],
  ])('%j is an error of one sentence', async (args, message) => {
    const { code, err } = await g2d(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('plans and prints what there are no data of', async () => {
    const dry = await g2d('table', '8', '--scale', 'paper', '--dry-run');
    expect(dry.out).toMatch(/To be trained: 1 run: .*\nWaits for its data, vgg-sound: /);
    const printed = await g2d('table', '8', '--scale', 'paper', '--no-train');
    expect(printed).toMatchObject({ code: 0, err: '' });
    expect(printed.out).toMatch(/Nothing has been run yet\.[\s\S]*VGGSound +—/);
  });

  it('asks to be started in the repository', async () => {
    mkdirSync(at('empty'));
    process.chdir(at('empty'));
    const { code, err } = await g2d('table', '4');
    process.chdir(root);
    expect([code, err]).toEqual([2, expect.stringContaining('There is no folder examples/tables here.')]);
  });
});
