// A dataset whose samples have any number of classes, through every command that looks at labels or scores.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../../../runs/test/toy-config.js';
import { main } from '../main.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-cli-multi-label-'));
const at = (name: string): string => join(root, name);
const path = fileURLToPath(new URL('../../../runs/test/multi-label-dataset.ts', import.meta.url));
const config = at('tags.json');

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

beforeAll(async () => {
  process.env['G2D_BACKEND'] = 'cpu';
  writeFileSync(config, JSON.stringify(toyConfig({ dataset: { name: 'module', path }, epochs: 6 })));
  for (const [method, seed] of [
    ['joint', '0'],
    ['joint', '1'],
    ['mses', '0'],
    ['mses', '1'],
  ] as const) {
    const options = ['--method', method, '--seed', seed, '--set', 'methodOptions={"mses":{"patience":2}}'];
    const found = await g2d('train', config, ...options, '--out', at(`runs/${method}-${seed}`), '--quiet');
    expect(found).toMatchObject({
      code: 0,
      out: expect.stringMatching(/micro F1 +macro F1 +all classes right +mAP/),
    });
  }
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  rmSync(root, { recursive: true, force: true });
});

describe('commands around a multi-label run', () => {
  it('evaluate: the numbers of the summary, as a table and as JSON', async () => {
    const { metrics } = JSON.parse(readFileSync(join(at('runs/joint-0'), 'summary.json'), 'utf8'));
    const text = await g2d('evaluate', at('runs/joint-0'), '--trust', '--split', 'test');
    expect(text.out).toMatch(/test, fused( +\d+\.\d){4} +0\.\d{3}/);
    const { out } = await g2d('evaluate', at('runs/joint-0'), '--trust', '--split', 'test', '--json');
    const found = JSON.parse(out);
    expect([found.task, found.metrics.test, found.confusion]).toEqual(['multi-label', metrics.test, {}]);
    expect(found.predictions.test.labels[3]).toEqual([0, 1]);
    expect(found.perClass.test.fused).toHaveLength(3);
  });

  it('report: names its score, shows classes and samples, and has no confusion', async () => {
    const page = readFileSync(join(at('runs/joint-0'), 'report.html'), 'utf8');
    const plain = page.replaceAll('\u00a0', ' ');
    expect(plain).toMatch(/The fused answer is at a micro F1 of \d+\.\d % on the test split\./);
    expect(plain).toMatch(/head has a micro F1 of \d+\.\d %, the \w+ head of \d+\.\d %/);
    expect(page).toContain('Micro F1 in percent on the test split');
    expect(page).toContain('mAP, %');
    expect(page).toContain('True classes: a, b');
    expect(page).toContain('True classes: none');
    expect(page).toContain('recall of loud, %');
    expect(page).not.toMatch(/[Aa]ccuracy|[Cc]onfusion matri|sampling error|MAPE/);
  });

  it('compare: by micro F1, more of which is better', async () => {
    const { out } = await g2d('compare', at('runs'), '--out', at('compare.html'));
    expect(out).toContain('test micro F1, %');
    expect(out).toMatch(/mAP, %/);
    expect(out).toContain('Micro F1 is that of all answers of all classes together');
    const [header, row] = (await g2d('compare', at('runs'), '--format', 'csv')).out.split('\r\n');
    const cells = (line: string | undefined): string[] => line!.split(',');
    expect(cells(row)[cells(header).indexOf('score')]).toBe('micro F1 in percent');
    const page = readFileSync(at('compare.html'), 'utf8');
    expect(page).toContain('Micro F1 in percent on the');
    expect(page).not.toMatch(/[Aa]ccuracy/);
    const { tables } = JSON.parse((await g2d('compare', at('runs'), '--json')).out);
    expect(tables[0].task).toBe('multi-label');
    const means = tables[0].rows.map((each: { test: { fused: { mean: number } } }) => each.test.fused.mean);
    expect(means).toEqual(means.toSorted((a: number, b: number) => a - b));
  });

  it('export: says that each class has a sigmoid of its own', async () => {
    const { out } = await g2d('export', at('runs/joint-0'), '--trust', '--out', at('model'));
    expect(out).toContain('tf.sigmoid(fusedLogits).print(); // of each class a probability of its own');
    expect(out).toContain('const { inputs, classNames } = ');
    const { task, classNames } = JSON.parse(readFileSync(join(at('model'), 'g2d.json'), 'utf8'));
    expect([task, classNames]).toEqual(['multi-label', ['a', 'b', 'c']]);
  });

  it('data check: counts the samples of each class, and names labels that are none', async () => {
    const { code, out } = await g2d('data', 'check', path);
    expect(code).toBe(0);
    // Sample i has the classes whose bits i has: of 60 one in two, of 30 one in two or nearly.
    expect(out).toMatch(
      /train +– +60\ntrain, class a +– +30\ntrain, class b +– +30\ntrain, class c +– +28\n/,
    );
    expect(out).toMatch(/test, no class +– +4\n/);
    writeFileSync(at('label.json'), '[0, 7]');
    const broken = await g2d('data', 'check', path, '--set', `first=${at('label.json')}`);
    expect(broken.code).toBe(2);
    expect(broken.err).toContain('has the class 7 in its label [0,7]; class ids are 0 to 2 (a, b, c).');
  });

  it('data show and tensor: name all classes of a sample', async () => {
    const shown = async (index: string): Promise<string> => {
      await g2d('data', 'show', path, '--index', index, '--out', at('page.html'));
      return readFileSync(at('page.html'), 'utf8');
    };
    expect(await shown('5')).toContain('<h1><small>classes</small> a, c</h1>');
    expect(await shown('0')).toContain('<h1><small>classes</small> none</h1>');
    await g2d('data', 'tensor', path, '--split', 'test', '--index', '6', '--out', at('tensor'));
    const sample = JSON.parse(readFileSync(join(at('tensor'), 'sample.json'), 'utf8'));
    expect(sample).toMatchObject({ label: [1, 2], classNames: ['b', 'c'], task: 'multi-label' });
  });
});
