import { describe, expect, it } from 'vitest';
import { asKnown, invented, VERSIONS, type ScoreOf } from '../test/invented.js';
import { buildTable } from './build-table.js';
import { paperName, publishedCells } from './data/paper-values.js';
import { planTable, type PlanOptions, type TablePlan } from './plan/plan-table.js';
import { LITERAL, TABLES } from './plan/places.js';
import type { PrintedTable } from './render/printed-table.js';

/** Different for every run and head: letters and seed, in 20 to 90. */
const anything: ScoreOf = ({ id, head, seed }) =>
  20 +
  ([...`${id}${head}`].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 7001, seed) / 7001) * 70;

const SCORED = TABLES.filter((number) => number !== 10);

async function table(
  number: number,
  options: PlanOptions,
  scoreOf: ScoreOf = anything,
  change: (
    plan: TablePlan,
    results: ReturnType<typeof invented>,
  ) => Partial<Parameters<typeof buildTable>[0]> = () => ({}),
): Promise<PrintedTable> {
  const plan = await planTable(`table-${number}`, options);
  const results = invented(plan, scoreOf);
  const changed = change(plan, results);
  return buildTable({
    number,
    plan,
    known: asKnown(results),
    absent: new Map(),
    allowMixed: false,
    ...changed,
  });
}

const cellsOf = ({ grids }: PrintedTable) =>
  grids.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells)).flatMap((cell) => cell ?? []);

const find = (printed: PrintedTable, row: string, column: string) =>
  printed.grids.flatMap(({ columns, rows }) =>
    rows.flatMap(({ label, cells }) => (label === row ? [cells[columns.indexOf(column)]] : [])),
  )[0];

it('prints Table 7 with its phases read literally, beside the same published numbers', async () => {
  const plan = await planTable(LITERAL, { scale: 'small' });
  const printed = await table(7, { scale: 'small' }, anything, () => ({
    literal: true,
    plan,
    known: asKnown(invented(plan, anything)),
  }));
  expect(printed.title).toBe('Table 7. Lengths of the prioritized phases, its phases read literally');
  expect(printed.grids.map(({ columns }) => columns)).toEqual([
    ['(0, 30)', '(10, 30)', '(20, 30)', '(30, 30)'],
    ['(0, 0, 30)', '(10, 10, 30)', '(15, 15, 30)'],
  ]);
  const published = cellsOf(printed).map((cell) => cell.published);
  expect(published).toEqual([78.63, 82.8, 83.74, 85.89, 75.3, 76.99, 77.19]);
  expect(printed.claims.map(({ id, verdict }) => [id, verdict === 'not tested'])).toEqual([
    ['T7.1', false],
    ['T7.1', false],
  ]);
  const notes = printed.notes.filter((note) => note.includes('as many epochs as its phases together'));
  expect(notes.length).toBe(2);
});

describe('buildTable, at the paper’s scale', () => {
  it.each(SCORED)('Table %i has every published number beside one of ours', async (number) => {
    const printed = await table(number, { scale: 'paper' });
    const cells = cellsOf(printed);
    // Of IEMOCAP's features no run is planned of three methods.
    const unplanned = number === 11 ? 3 * (4 + 3) : 0;
    expect(cells.filter(({ mean }) => mean === undefined).length).toBe(unplanned);
    const scores = cells.filter(({ cell }) => cell.kind === 'score');
    expect(scores.filter(({ published }) => published === undefined)).toEqual([]);
    const shown = scores.map(({ published }) => published).sort();
    const all = publishedCells(`table-${number}`).map(({ value }) => value);
    expect(new Set(shown)).toEqual(new Set(all));
    // Table 2 has its three teachers in the caption, and we in the nine heads that have their modality.
    expect(shown.length).toBe(all.length + (number === 2 ? 9 - 3 : 0));
  });

  it('has a difference to each of them, but of runs with fewer epochs', async () => {
    const printed = await table(4, { scale: 'paper' });
    for (const { mean, published, difference } of cellsOf(printed))
      expect(difference).toBeCloseTo((mean as number) - (published as number), 12);
    const short = await table(4, { scale: 'paper' }, anything, (_, results) => {
      for (const [id, result] of results)
        if (result.method === 'umt') results.set(id, { ...result, epochs: 10 });
      return {};
    });
    expect(find(short, 'UMT, SMP ✗', 'CREMA-D')).not.toHaveProperty('difference');
    expect(find(short, 'UMT, SMP ✓', 'CREMA-D')).toHaveProperty('difference');
    expect(short.notes.find((note) => note.startsWith('Epochs: '))).toBe('Epochs: 300; UMT 10.');
  });

  it('has the second best of a column as the paper has it, by its published numbers', async () => {
    const values = new Map(
      publishedCells('table-4').map(({ dataset, method, value }) => [`${dataset} ${method}`, value]),
    );
    const printed = await table(
      4,
      { scale: 'paper' },
      ({ dataset, method }) => values.get(`${dataset} ${method}`) ?? 0,
    );
    expect(find(printed, 'UMT, SMP ✓', 'CREMA-D')).toMatchObject({
      mean: 82.39,
      rank: 'second',
      difference: 0,
    });
    expect(find(printed, 'G2D loss, SMP ✓', 'CREMA-D')).toMatchObject({ rank: 'best' });
    // Everything is in the same order.
    expect(printed.grids[0]?.agreement.map(({ tau }) => tau)).toEqual([1, 1, 1]);
    expect(find(printed, '  SMP adds', 'CREMA-D')?.mean).toBeCloseTo(80.78 - 67.47, 10);
  });

  it('says which protocol it is, and refuses one that there is not', async () => {
    expect((await table(4, { scale: 'paper' })).heading).toMatch(/Protocol published: .*optimistic/);
    const validation = await table(4, { scale: 'paper', protocol: 'validation' });
    expect(validation.heading).toMatch(/Protocol validation/);
    await expect(planTable('table-4', { scale: 'paper', protocol: 'test' })).rejects.toThrow(
      '--protocol is "test", and the scale paper has published, validation.',
    );
    await expect(planTable('table-4', { scale: 'small', protocol: 'published' })).rejects.toThrow(
      'the scale small has one protocol',
    );
  });
});

describe('buildTable, of what ships', () => {
  it.each(SCORED)(
    'Table %i has a number in every cell that is planned, at the scales small and smoke',
    async (number) => {
      for (const scale of ['small', 'smoke'] as const) {
        const printed = await table(number, { scale });
        const cells = cellsOf(printed);
        expect(cells.length).toBeGreaterThan(0);
        const empty = cells.flatMap(({ mean, cell }) => (mean === undefined ? [cell] : []));
        const methods = empty.map((cell) => (cell.kind === 'score' ? cell.score : cell.of).method ?? '');
        const note = printed.notes.find((one) => one.startsWith('No run is planned')) ?? '';
        expect([...new Set(methods)].filter((method) => !note.includes(paperName(method)))).toEqual([]);
        expect(cells.some(({ difference }) => difference !== undefined)).toBe(false);
        expect(printed.claims.length).toBeGreaterThan(0);
        const verdicts = printed.claims.map(({ verdict }) => verdict);
        expect(verdicts.includes('not tested')).toBe(scale === 'smoke');
      }
    },
  );

  it('has means, deviations and a claim as they are by hand', async () => {
    // Joint training 50, 51, 52 with seeds 0, 1, 2, SMP 60, 62, 61, others lower.
    const smp = [60, 62, 61];
    const printed = await table(4, { scale: 'small', seeds: [0, 1, 2] }, ({ method, seed }) =>
      method === 'joint' ? 50 + seed : method === 'smp' ? (smp[seed] as number) : 10 + seed,
    );
    const cell = find(printed, 'Joint-Train, SMP ✓', 'small AV-MNIST');
    expect(cell).toMatchObject({ mean: 61, deviation: 1, seeds: [0, 1, 2], rank: 'best', published: 72.51 });
    // d = 10, 11, 9: mean 10, deviation 1, 10 ± 4.30265 / √3.
    const claim = printed.claims.find(({ id, dataset }) => id === 'T4.1' && dataset === 'small AV-MNIST');
    expect(claim).toMatchObject({ verdict: 'holds', n: 3, claim: 'smp > joint', published: 'true (2.74)' });
    expect(claim?.mean).toBeCloseTo(10, 12);
    expect(claim?.interval?.lower).toBeCloseTo(10 - 4.3026527297 / Math.sqrt(3), 8);
    const best = printed.claims.find(({ id }) => id === 'T4.4');
    expect(best).toMatchObject({ verdict: 'fails' });
    expect(printed.heading).toContain('over 3 seeds (0, 1, 2)');
  });

  it('takes the modality that starves for the one of the claim', async () => {
    const printed = await table(1, { scale: 'small' }, ({ method, head }) =>
      method === 'teacher' ? (head === 'image' ? 74 : 60) : head === 'image' ? 21 : 59,
    );
    expect(printed.claims.find(({ id }) => id === 'T1.2')).toMatchObject({
      claim: 'teacher, image > joint, image',
      verdict: 'holds',
    });
  });

  it('says what the teachers’ mean comes to, which no column has', async () => {
    const scores: Readonly<Record<string, number[]>> = { ume: [80, 82, 84], g2d: [85, 85, 85] };
    const printed = await table(
      4,
      { scale: 'small', seeds: [0, 1, 2] },
      ({ method, seed }) => scores[method]?.[seed] ?? 50,
    );
    expect(printed.notes).toContain(
      'For comparison, the mean of the teachers’ logits, with nothing trained jointly, fused: small AV-MNIST 82.00 ± 2.00 (n=3); Multiple Features 82.00 ± 2.00 (n=3).',
    );
    expect(find(printed, 'G2D loss, SMP ✓', 'small AV-MNIST')?.rank).toBe('best');
  });

  it('pairs one seed by its answers', async () => {
    // 70 against 50 of the same hundred: 20 against none.
    const printed = await table(8, { scale: 'small', seeds: [3] }, ({ method }) =>
      method === 'g2d' ? 70 : 50,
    );
    expect(printed.claims.find(({ id }) => id === 'T8.1')).toMatchObject({
      verdict: 'holds',
      n: 1,
      why: 'McNemar on one seed',
    });
    expect(printed.claims.find(({ id }) => id === 'T8.2')).toMatchObject({ verdict: 'open' });
  });

  it('never takes another case for one that is not planned', async () => {
    const options = { scale: 'small', seeds: [0, 1, 2] } as const;
    const plan = await planTable('table-11', options);
    const members = plan.members.filter(({ combination }) => ['0%', '60%'].includes(combination.case ?? ''));
    const printed = await table(11, options, anything, () => ({ plan: { ...plan, members } }));
    expect(printed.claims.map(({ id }) => id)).toEqual(['T11.1 (0%)', 'T11.1 (60%)', 'T11.2']);
    expect(printed.claims[2]?.claim).toBe('g2d (0%) − g2d (60%) < joint (0%) − joint (60%)');
  });

  it('turns an error around', async () => {
    const scores: Readonly<Record<string, number>> = { joint: 14, 'mis-me': 8, g2d: 7, teacher: 9 };
    const printed = await table(
      3,
      { scale: 'small' },
      ({ method, seed }) => (scores[method] as number) + seed / 100,
    );
    expect(find(printed, 'MAPE, % (less is better)', 'G2D')?.rank).toBe('best');
    // Here the invented R² is a hundredth of the error: the highest is best.
    expect(find(printed, 'R²', 'Joint-Train')?.rank).toBe('best');
    const byId = new Map(printed.claims.map((claim) => [claim.id, claim]));
    expect(byId.get('T3.2')).toMatchObject({ verdict: 'holds', claim: 'MAPE: g2d < mis-me' });
    expect(byId.get('T3.2')?.mean).toBeCloseTo(1, 10);
    expect(byId.get('T3.1')).toMatchObject({ verdict: 'holds', claim: 'MAPE: teacher, pix < joint + 0.5' });
    expect(byId.get('T3.3')).toMatchObject({ verdict: 'fails' });
  });
});

describe('what is missing or does not fit', () => {
  it('leaves cells empty, names a failed teacher and the runs that it costs', async () => {
    const printed = await table(4, { scale: 'small', seeds: [0, 1, 2] }, anything, ({ pool }, results) => {
      const teacher = pool.runs.find(({ needs }) => needs.length === 0) as { id: string };
      const lost = pool.runs.filter(({ needs }) => needs.includes(teacher.id)).map(({ id }) => id);
      for (const id of [teacher.id, ...lost]) results.delete(id);
      const status = [
        { id: teacher.id, state: 'failed' as const, why: 'The disk is full.', epochs: 60 },
        ...lost.map((id) => ({
          id,
          state: 'blocked' as const,
          why: `it needs ${teacher.id}, which failed`,
          epochs: 60,
        })),
      ];
      return { known: { ...asKnown(results), status } };
    });
    expect(printed.notes.find((note) => note.includes('failed:'))).toMatch(
      /^.+ failed: The disk is full\. \d+ runs that need it are not run either\.$/,
    );
    const cell = find(printed, 'UMT, SMP ✗', 'small AV-MNIST');
    expect(cell?.seeds.length).toBe(2);
  });

  it('refuses to average runs of other versions, and says so if it may', async () => {
    const half = (_: TablePlan, results: ReturnType<typeof invented>) => {
      for (const [at, [id, result]] of [...results].entries())
        if (at % 2 === 0) results.set(id, { ...result, versions: { ...VERSIONS, g2d: '0.1.0' } });
      return {};
    };
    await expect(table(9, { scale: 'small' }, anything, half)).rejects.toThrow(
      /^The runs were trained with different versions: \d+ runs with .*g2d 0\.\d\.0.*; \d+ runs with .*\. Train those of one version again, or take them together with --allow-mixed\.$/,
    );
    const printed = await table(9, { scale: 'small' }, anything, (plan, results) => ({
      ...half(plan, results),
      allowMixed: true,
    }));
    expect(printed.notes.find((note) => note.includes('different versions'))).toMatch(/as asked\.$/);
  });
});
