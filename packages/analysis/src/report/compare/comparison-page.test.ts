import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../fixtures/plain-run.js';
import { temporaryRun } from '../../../fixtures/temporary-group.js';
import { comparisonCells } from '../../compare/cells.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { Run } from '../../run.js';
import { renderComparison } from './comparison-page.js';
import { overSeeds } from './overlaid-curves.js';

const sections = (page: string): string[] =>
  [...page.matchAll(/<section id="([a-z]+)"/g)].map((match) => match[1]!);
const rubbish = (page: string): string[] =>
  page.match(/.{0,40}(?:NaN|undefined|Infinity|\[object).{0,40}/g) ?? [];
const plain = (page: string): string => page.replaceAll('\u00a0', ' ');

/** Renders, and checks what every page has to be. */
function render(runs: readonly Run[], more: { title?: string; command?: string } = {}): string {
  const page = renderComparison({ title: 'Methods', runs, ...more });
  expect(rubbish(page)).toEqual([]);
  expect(page.match(/<script|<link|@import|url\(|https?:/g)).toBeNull();
  expect(page).toContain(`default-src 'none'`);
  return plain(page);
}

const size = { epochs: 10, testSamples: 200 };
const group = (): Run[] => [
  ...[0, 1, 2].flatMap((seed) =>
    ['joint', 'g2d'].map((method) => temporaryRun({ ...size, method, seed, name: `${method}-seed${seed}` })),
  ),
  temporaryRun({
    ...size,
    kind: 'teacher',
    modalities: ['image'],
    name: 'teacher-image',
    goals: { image: 75 },
  }),
];

describe('renderComparison', () => {
  it('has the table, the curves, the schedule and the settings', () => {
    const page = render(group(), { command: 'npx g2d compare runs/*' });
    expect(sections(page)).toEqual(['overview', 'results', 'curves', 'losses', 'schedule', 'settings']);
    expect(page).toContain('7 runs, 2 methods or settings.');
    expect(page).toContain('<code>npx g2d compare runs/*</code>');
    // Lines of two rows and a shade for each, in three panels of accuracies and two of losses.
    expect(page.match(/<path class="line solid m[01]" d=/g)).toHaveLength(10);
    expect(page.match(/<path class="area m[01]" d=/g)).toHaveLength(10);
    expect(page).toContain('Teacher of image: 7');
    expect(page.match(/<div class="strips"/g)).toHaveLength(1);
    expect(page).toContain('<dt>versions.tfjs</dt><dd>4.22.0</dd>');
    expect(page).toMatch(/<th scope="row">method<\/th><td>joint<\/td><td>g2d<\/td>/);
    expect(page).toContain('<code>seeds</code> 0, 1, 2');
  });

  it('prints the numbers of the terminal', () => {
    const runs = group();
    const page = renderComparison({ title: 'Methods', runs });
    const { tables, level } = compareRuns(runs);
    for (const [kind, part] of [
      ['results compared', 'results'],
      ['results', 'cost'],
    ] as const) {
      const table = page.match(new RegExp(`<table class="${kind}">.*?</table>`, 's'))?.[0] ?? '';
      const printed = [...table.matchAll(/<t[hd](?: [^>]*)?>([^<]*)</g)].map((match) => match[1]);
      const { header, rows, teachers } = comparisonCells(tables[0]!, level, { part });
      const [, ...titles] = header;
      expect(printed.slice(1)).toEqual([...titles, ...rows.flat(), ...teachers.flat()]);
    }
  });

  it('has the further columns of whoever makes it', () => {
    const columns = [{ title: 'tuned', cell: ({ method }: { method: string }) => `rate of ${method}` }];
    const page = renderComparison({ title: 'Methods', runs: group(), columns });
    expect(page).toContain('tuned</th>');
    expect(page).toContain('>rate of g2d</td>');
  });

  it('says what the numbers say: gain, teachers, cost', () => {
    const run = (method: string, seed: number, fused: number, audio: number): Run =>
      plainRun({ config: { method, seed }, summary: { test: { fused, audio, image: 40 } } });
    const teacher = plainRun({
      config: { kind: 'teacher', modalities: ['image'], name: 'teacher-image' },
      summary: { test: { image: 75 } },
    });
    const page = render([
      ...[60, 61].map((fused, seed) => run('joint', seed, fused, 50)),
      ...[80, 82].map((fused, seed) => run('g2d', seed, fused, 38)),
      teacher,
    ]);
    expect(page).toContain(
      'G2D is right on 81.0 % of the test samples on average over 2 seeds. The next best, Joint training, reaches 60.5 %.',
    );
    expect(page).toContain(
      'Over Joint training: 20.5 points gained. G2D is the better one in all of the 2 seeds that both have.',
    );
    expect(page).toContain(
      'The best of them, Teacher of image, reaches 75.0 %: G2D is 6.0 points ahead of it.',
    );
    expect(page).toContain('gives up 12.0 points of audio: that head alone is worse than there.');
    expect(page).toContain('95 % intervals of the mean over n = 2 seeds by Student’s t');
    expect(sections(page)).toEqual(['overview', 'results', 'settings']);
  });

  it('does not call a difference within noise a lead', () => {
    const run = (method: string, seed: number, fused: number): Run =>
      plainRun({ config: { method, seed }, summary: { test: { fused } } });
    const page = render([
      ...[70, 74, 72].map((fused, seed) => run('smp', seed, fused)),
      ...[73, 72, 73].map((fused, seed) => run('g2d', seed, fused)),
    ]);
    expect(page).toContain(
      'It is not told apart from SMP only (72.0 %): a difference of 0.7 points can be chance.',
    );
    expect(page).toContain('The order of these neighbours can be chance: SMP only and G2D (0.7 points).');
  });

  it('names a selection on the test split in the headline and below the table', () => {
    const page = render([temporaryRun({ select: 'test-best' })]);
    expect(page).toContain('Part of these numbers were selected on the test split.</h2>');
    expect(page).toContain('<li>Selected on the test split (test-best): G2D.');
    expect(page).toContain('<td class="number">test</td>');
  });

  it('keeps other data in tables and charts of their own', () => {
    const page = render([
      temporaryRun({ method: 'joint' }),
      temporaryRun({
        method: 'g2d',
        task: 'regression',
        modalities: ['image', 'weather', 'soil'],
        datasetTitle: 'Soil',
        dataset: { name: 'soil' },
      }),
    ]);
    expect(page).toContain('2 tables: these runs are not all on the same data with the same modalities.');
    expect(page.match(/<table class="results compared">/g)).toHaveLength(2);
    expect(page).toContain('<h3 class="table-title">Soil · image, weather and soil</h3>');
    expect(page).toContain('off on the test split (MAPE) with one seed');
    expect(page).toContain('MAPE in percent on the validation split');
  });

  it('shows the test split where there is no validation split', () => {
    expect(render([temporaryRun({ hasValidation: false })])).toContain(
      'Accuracy in percent on the test split',
    );
  });

  it('shows teachers alone', () => {
    const teacher = temporaryRun({ kind: 'teacher', modalities: ['image'], name: 'teacher-image' });
    const page = render([teacher]);
    expect(page).toContain('There are only teachers here');
    expect(sections(page)).toEqual(['overview', 'results', 'settings']);
  });

  it('stays below 1.5 MB with 24 rows of 300 epochs', () => {
    const methods = ['joint', 'ogm-ge', 'g2d-loss', 'g2d'];
    const runs = Array.from({ length: 24 }, (_, index) =>
      temporaryRun({
        method: methods[index % 4]!,
        modalities: ['audio', 'video', 'text'],
        epochs: 300,
        config: { batchSize: index },
      }),
    );
    const page = render(runs);
    expect(Buffer.byteLength(page)).toBeLessThan(1.5e6);
    // More rows than colours: strokes tell them apart.
    for (const stroke of ['solid', 'dashed', 'dotted', 'dashdot']) {
      expect(page).toContain(`<path class="line ${stroke} m5"`);
    }
  });

  it('scrolls tables in boxes of their own, and breaks long words, on narrow screens', () => {
    const page = render(group());
    expect(page.match(/<table/g)?.length).toBeGreaterThanOrEqual(3);
    expect(page.match(/<table/g)).toHaveLength(page.match(/<div class="scroll"><table/g)?.length ?? 0);
    expect(page).toMatch(/\nbody \{[^}]*overflow-wrap: break-word;[^}]*\}/);
    expect(page).toContain('.scroll { overflow-x: auto; }');
  });

  it('escapes everything that comes from outside', () => {
    const evil = `<img src=x onerror="alert('1')">`;
    const run = temporaryRun({ name: evil, modalities: [evil, 'b'], datasetTitle: evil });
    const other = { ...temporaryRun({ method: 'joint', config: { [evil]: evil } }), folder: evil };
    const page = render([run, other], { title: evil, command: evil });
    expect(page.includes('<img src=x')).toBe(false);
    expect(page).toContain('&lt;img src=x onerror=&quot;');
  });
});

describe('overSeeds', () => {
  it('is the mean and the range of every epoch that all seeds have', () => {
    const run = (values: readonly number[]): Run =>
      plainRun({
        metrics: values.map((total, index) => ({ epoch: index + 1, loss: { total }, train: {} })),
      });
    const runs = [run([1, 2, 9]), run([3, 6]), run([])];
    expect(overSeeds({ runs }, ({ loss }) => loss['total'])).toEqual([
      { epoch: 1, mean: 2, low: 1, high: 3 },
      { epoch: 2, mean: 4, low: 2, high: 6 },
    ]);
  });
});
