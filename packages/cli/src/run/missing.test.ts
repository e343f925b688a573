// Modalities that are missing, as a user asks for them: in training, in mask files, and in `g2d evaluate --missing`.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toyConfig } from '../../../runs/test/toy-config.js';
import { main } from '../main.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-missing-'));
const at = (...names: string[]): string => join(root, ...names);
const read = (...names: string[]): string => readFileSync(at(...names), 'utf8');

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

const config = (name: string, data: object, epochs = 2): string => {
  writeFileSync(at(`${name}.json`), JSON.stringify(toyConfig({ epochs, data })));
  return at(`${name}.json`);
};

interface Row {
  readonly label: string;
  readonly share: number;
  readonly masks: readonly {
    readonly samples: number;
    readonly scores: Readonly<Record<string, number | null>>;
  }[];
}
interface Found {
  readonly rates: readonly Row[];
  readonly patterns: readonly {
    readonly present: readonly string[];
    readonly scores: Row['masks'][0]['scores'];
  }[];
}
const evaluated = async (...args: string[]): Promise<Found> => {
  const { code, out, err } = await g2d('evaluate', at('half'), '--trust', '--json', ...args);
  expect(code, err).toBe(0);
  return JSON.parse(out) as Found;
};

beforeAll(async () => {
  process.env['G2D_BACKEND'] = 'cpu';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const file = config('half', { missing: { rate: 0.4, seed: 3 } });
  const { code, out } = await g2d('train', file, '--out', at('half'), '--quiet');
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/missing cells: train 40\.0 %, validation 40\.0 %, test 40\.0 %\n/),
  ]);
});
afterAll(() => {
  vi.restoreAllMocks();
  delete process.env['G2D_BACKEND'];
  rmSync(root, { recursive: true, force: true });
});

describe('a run with missing modalities', () => {
  it('keeps its masks, which another run can take, and ends with the same weights', async () => {
    const [head, ...rows] = read('half/masks/train.csv').trim().split('\n');
    expect([head, rows.length]).toEqual(['id,loud,quiet', 60]);
    expect(rows.filter((row) => row.endsWith(',0,0'))).toEqual([]);
    expect(rows.join().match(/,0/g)).toHaveLength(48);
    const file = config('taken', { missing: { masks: at('half/masks') } });
    expect(await g2d('train', file, '--out', at('taken'), '--quiet')).toMatchObject({ code: 0 });
    const weights = 'checkpoints/last/model.safetensors';
    expect(read('taken', weights)).toBe(read('half', weights));
    expect(JSON.parse(read('taken/summary.json'))).toMatchObject({
      missing: { train: 0.4, validation: 0.4, test: 0.4 },
    });
  });

  it('does not go on with other masks unless that is allowed', async () => {
    cpSync(at('half/masks'), at('own'), { recursive: true });
    const file = config('own', { missing: { masks: at('own') } });
    expect(await g2d('train', file, '--out', at('changed'), '--quiet')).toMatchObject({ code: 0 });
    // Without the end it has something to do yet.
    for (const name of ['summary.json', 'predictions.json']) rmSync(at('changed', name));
    const rows = read('own/train.csv').split('\n');
    writeFileSync(
      at('own/train.csv'),
      rows.map((row, i) => (i === 1 ? row.replace(/,[01],[01]$/, ',1,1') : row)).join('\n'),
    );
    const again = ['train', file, '--out', at('changed'), '--quiet', '--resume'];
    expect(await g2d(...again)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/What is missing of the train split is not what .*masks\/train\.csv says/),
    });
    expect(await g2d(...again, '--allow-changed')).toMatchObject({ code: 0 });
  });

  it.each([
    ['both', { rate: 0.2, masks: 'x' }, /one of "rate", "sampler": "patterns" and "masks"/],
    ['neither', { seed: 1 }, /one of "rate", "sampler": "patterns" and "masks"/],
    ['a rate of patterns', { rate: 0.2, sampler: 'patterns' }, /one of "rate"/],
    ['a seed of masks', { seed: 1, masks: 'x' }, /alone: nothing is drawn then/],
    ['no folder', { masks: '/none' }, /\/none\/train\.csv/],
  ])('is refused with %s', async (name, missing, message) => {
    const file = config('wrong', { missing });
    const { code, err } = await g2d('train', file, '--out', at(`wrong-${name}`), '--quiet');
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it('says what can be meant, but hardly is', async () => {
    const file = config('much', { missing: { rate: 0.9 } }, 1);
    const { code, err } = await g2d('train', file, '--out', at('much'));
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/"data\.missing\.rate" is 0\.9, but .*: 0\.500 of the cells are missing/),
    ]);
  });

  it('draws patterns for training samples again in every epoch', async () => {
    const file = config('patterns', { missing: { sampler: 'patterns' }, inMemory: true });
    const { code, out } = await g2d('train', file, '--out', at('patterns'), '--quiet');
    expect([code, out]).toEqual([0, expect.stringMatching(/missing cells: train 50\.0 %/)]);
    expect(() => read('patterns/masks/train.csv')).toThrow(/ENOENT/);
    expect(read('patterns/masks/test.csv')).toMatch(/^id,loud,quiet\n/);
  });
});

describe('g2d evaluate --missing', () => {
  it('takes modalities away as it is asked to, whatever the run was trained without', async () => {
    const { rates, patterns } = await evaluated('--missing', '0,0.3', '--mask-seeds', '3');
    expect(rates.map(({ label, share, masks }) => [label, share, masks.length])).toEqual([
      ['0', 0, 1],
      ['0.3', 0.3, 3],
    ]);
    // Nothing taken away is the whole set of modalities, and an evaluation of all there is.
    const whole = await g2d(
      'evaluate',
      at('half'),
      '--trust',
      '--split',
      'test',
      '--set',
      'data.missing.rate=0',
      '--json',
    );
    const { metrics } = JSON.parse(whole.out) as { metrics: { test: Record<string, { accuracy: number }> } };
    const scores = Object.fromEntries(
      Object.entries(metrics.test).map(([head, { accuracy }]) => [head, accuracy]),
    );
    expect(rates[0]!.masks[0]!.scores).toEqual(scores);
    expect(patterns.map(({ present }) => present.join())).toEqual(['loud,quiet', 'loud', 'quiet']);
    expect(patterns[0]!.scores).toEqual(scores);
    // Of one modality alone the answer is its head's.
    for (const { present, scores: alone } of patterns.slice(1))
      expect(alone['fused']).toBe(scores[present[0] as string]);
    const seeds = new Set(rates[1]!.masks.map((mask) => JSON.stringify(mask.scores)));
    expect(seeds.size).toBeGreaterThan(1);
  });

  it('takes masks of one’s own', async () => {
    const ids = read('half/masks/test.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(',')[0]);
    writeFileSync(at('quiet.csv'), ['quiet;id;loud', ...ids.map((id) => `1;${id};0`)].join('\n'));
    const { rates, patterns } = await evaluated(
      '--mask',
      at('quiet.csv'),
      '--mask',
      at('half/masks/test.csv'),
    );
    expect(rates.map(({ label, share }) => [label, share])).toEqual([
      [at('quiet.csv'), 0.5],
      [at('half/masks/test.csv'), 0.4],
    ]);
    expect(rates[0]!.masks[0]!.scores).toEqual(patterns[2]!.scores);
    // The mask of the run's own test split: what the run's summary says.
    const { test } = JSON.parse(read('half/summary.json')) as { test: Record<string, number> };
    expect(rates[1]!.masks[0]!.scores).toEqual(test);
  });

  it('prints tables, which modality is missed most, and writes a page', async () => {
    const page = at('missing.html');
    const { code, out } = await g2d(
      'evaluate',
      at('half'),
      '--trust',
      '--missing',
      '0,0.2,0.4',
      '--mask-seeds',
      '2',
      '--out',
      page,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/missing rate +missing cells +masks +fused +95 % +loud +quiet\n─+\n0 +0\.0 % +1 +\d/);
    expect(out).toMatch(/\n0\.4 +40\.0 % +2 +\d+\.\d ± \d+\.\d +\[-?\d+\.\d, \d+\.\d\]/);
    expect(out).toMatch(/\npresent +samples +fused +loud +quiet\n─+\nloud \+ quiet +30/);
    expect(out).toMatch(/(Without \w+ the answer loses most|The answer loses nothing)/);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('missing cells, %');
    expect(html).not.toMatch(/NaN|(src|href)="https?:/);
  });

  it('other protocols: the share of cells tells what a rate comes to', async () => {
    const samples = await evaluated('--missing', '0.5', '--sampler', 'samples', '--mask-seeds', '1');
    // All 30 are among the first 50 of a hundred.
    expect(samples.rates[0]).toMatchObject({ label: '0.5', share: 0.5 });
    const patterns = await evaluated('--missing', '', '--sampler', 'patterns', '--mask-seeds', '2');
    expect(patterns.rates.map(({ label, share, masks }) => [label, share, masks.length])).toEqual([
      ['patterns', 0.5, 2],
    ]);
  });

  it.each([
    [['--missing', '0,1.2'], /--missing is "1\.2"; it must be rates from 0 to 1/],
    [['--missing', ''], /--missing is ""; it must be rates/],
    [['--missing', '0.2', '--sampler', 'mmin'], /--sampler is "mmin"; it must be one of exact, official/],
    [['--missing', '0.2', '--sampler', 'patterns'], /"patterns", which has no rate/],
    [['--missing', '0.2', '--mask-seeds', '0'], /--mask-seeds is "0"/],
    [['--missing', '0.2', '--split', 'test', '--split', 'train'], /one split is evaluated at a time/],
    [['--out', 'x.html'], /--out is for --missing, or --mask/],
    [
      ['--mask', 'half/masks/train.csv'],
      /is no mask for the test split of toy: 30 of 30 samples are not in it/,
    ],
  ])('refuses %j', async (args, message) => {
    const own = args.map((arg) => (arg.startsWith('half/') ? at(arg) : arg));
    const { code, err } = await g2d('evaluate', at('half'), '--trust', ...own);
    expect([code, err.trim().split('\n').at(-1)]).toEqual([2, expect.stringMatching(message)]);
  });
});
