import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { afterAll, describe, expect, it } from 'vitest';
import { openNpy } from '@g2d/formats/node';
import type { DatasetCheck } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { stepDatasets } from '../../../bench/src/step-datasets.js';
import { main } from '../main.js';
import { channelsFirst } from './channels-first.js';
import { picturesOf } from './views.js';

const fixtures = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url));
const avmnist = join(fixtures, 'avmnist/avmnist');
const folder = mkdtempSync(join(tmpdir(), 'g2d-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const misMe = join(folder, 'mis-me');
const numerals = fileURLToPath(new URL('../../../../data/multiple-features', import.meta.url));
cpSync(join(fixtures, 'datasets/misme/images'), join(misMe, 'all_three_stations/images'), {
  recursive: true,
});
cpSync(join(fixtures, 'io/misme/classification'), join(misMe, 'labels/classification'), { recursive: true });

/** Runs a command line in this process. */
async function g2d(...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), err: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

function npy(path: string): { shape: readonly number[]; dtype: string; values: number[] } {
  const file = openNpy(path);
  const { shape, dtype } = file;
  const values = [...file.all()];
  file.close();
  return { shape, dtype, values };
}

interface Golden {
  readonly splits: Readonly<
    Record<
      string,
      {
        readonly samples: readonly {
          readonly target: number;
          readonly table: readonly number[];
          readonly image: { readonly positions: readonly (readonly [number, number])[] };
        }[];
      }
    >
  >;
}
const golden = JSON.parse(readFileSync(join(fixtures, 'datasets/misme/expected.json'), 'utf8')) as Golden;

describe('g2d data', () => {
  it.each(['check', 'tensor', 'show', 'prepare'])('%s explains itself', async (name) => {
    const { code, stdout } = await g2d('data', name, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^Usage: g2d data ${name} <dataset> <folder>[\\s\\S]*Exit code[\\s\\S]*Example`),
    );
  });

  it('lists its commands', async () => {
    const { code, stdout } = await g2d('data', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/data check .*\n {2}data tensor .*\n {2}data show .*\n {2}data prepare/);
    expect(stdout).not.toMatch(/parity/);
    expect(await g2d('data')).toMatchObject({ code: 2, stdout: '', stderr: stdout });
    expect((await g2d('data', 'tensr')).stderr).toMatch(
      /no command "data tensr"; the commands are .*data tensor/,
    );
    expect((await g2d('--help')).stdout).toMatch(/ {2}bench data .*[\s\S]* {2}parity /);
  });

  it.each([
    ['no dataset', ['check'], /No dataset is named\. It can be crema-d, /],
    ['an unknown dataset', ['check', 'toString', 'x'], /no dataset "toString"; it can be crema-d, /],
    ['no folder', ['check', 'av-mnist'], /<folder> is missing: the folder of AV-MNIST/],
    ['too many arguments', ['check', 'av-mnist', 'a', 'b'], /"b" is one argument too many/],
    [
      'a setting without a value',
      ['check', 'av-mnist', 'a', '--set', 'fold'],
      /--set is "fold"; it must be key=value/,
    ],
    ['no split', ['tensor', 'av-mnist', avmnist, '--index', '0', '--out', folder], /--split is missing/],
    [
      'no sample',
      ['tensor', 'av-mnist', avmnist, '--split', 'test', '--out', folder],
      /give --index N, or --id ID/,
    ],
    [
      'no folder for the result',
      ['tensor', 'av-mnist', avmnist, '--split', 'test', '--index', '0'],
      /--out is missing/,
    ],
    [
      'two samples',
      ['tensor', 'av-mnist', avmnist, '--split', 'test', '--index', '0', '--id', 'x', '--out', folder],
      /both name a sample/,
    ],
    [
      'a sample that is not there',
      ['tensor', 'av-mnist', avmnist, '--split', 'test', '--index', '10', '--out', folder],
      /no sample 10 in the test split of 10/,
    ],
    [
      'an id that is not there',
      ['show', 'av-mnist', avmnist, '--id', 'x', '--out', folder],
      /no sample "x" in its test split; its ids are of the form "avmnist\/test\/0"/,
    ],
    ['half a sample', ['show', 'av-mnist', avmnist, '--index', '1.5', '--out', folder], /--index is "1\.5"/],
    [
      'an unknown option',
      ['show', '--indx', '1'],
      /Unknown option '--indx' \(did you mean --index\?\); see g2d data show --help/,
    ],
  ])('exits with 2 and one sentence for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await g2d('data', ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

/** Those that are published: the small set is made here. */
const published = Object.fromEntries(
  datasets.filter(({ check }) => check).map((dataset) => [dataset.name, dataset]),
);

describe('the table of datasets', () => {
  it('has those of g2d bench step, with their modalities', () => {
    expect(Object.keys(published)).toEqual(expect.arrayContaining(Object.keys(stepDatasets)));
    for (const { modalities, views = {}, benchmark } of datasets.filter(({ name }) => name in stepDatasets)) {
      expect(modalities).toEqual(expect.arrayContaining(Object.keys(views)));
      const measured = Object.keys(
        benchmark?.modalities ?? Object.fromEntries(modalities.map((name) => [name, 0])),
      );
      expect(measured.sort()).toEqual([...modalities].sort());
    }
  });
});

describe('g2d data check', () => {
  // What each folder holds is the loaders' own test; here, that the command reaches every one of them.
  it.each(Object.keys(published))('reports a folder of %s that is not there', async (name) => {
    const nowhere = join(folder, 'nowhere');
    const { code, stdout } = await g2d('data', 'check', name, nowhere, '--json');
    expect(code).toBe(1);
    const check = JSON.parse(stdout) as DatasetCheck;
    expect(check).toMatchObject({ folder: nowhere, asPublished: false });
    expect(check.dataset).toContain(published[name]?.label);
    expect(check.problems.length).toBeGreaterThan(0);
    expect(check.howToGet).not.toBe('');
  });

  it.each(Object.keys(published))('and opening one of %s says how to get it', async (name) => {
    const { code, stderr } = await g2d(
      'data',
      'tensor',
      name,
      join(folder, 'nowhere'),
      '--split',
      'test',
      '--index',
      '0',
      '--out',
      folder,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/is not complete under .*nowhere: missing /);
  });

  it('prints counts, problems by reason with ten of each, and how to get the data; exits with 1', async () => {
    const root = join(folder, 'half');
    cpSync(misMe, root, { recursive: true });
    rmSync(join(root, 'all_three_stations'), { recursive: true });
    cpSync(
      join(fixtures, 'datasets/misme/images/OK001_20210306_090000_0.jpg'),
      join(root, 'all_three_stations/images/OK001_20210306_090000_0.jpg'),
    );
    const { code, stdout } = await g2d('data', 'check', 'mis-me', root);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^MIS-ME in .*half\n/);
    expect(stdout).toMatch(/\ntrain +2,701 +9\n/);
    expect(stdout).toMatch(
      /\npicture missing: 17\n( {2}OK.*\.jpg\n){10} {2}… and 7 more \(--json names all\)\n/,
    );
    expect(stdout).toMatch(/would not be as published\.\nHow to get the data: .*v2.*\nLicence: none stated/);

    const json = await g2d('data', 'check', 'mis-me', root, '--json');
    expect(json.code).toBe(1);
    const check = JSON.parse(json.stdout) as { problems: { ids: string[] }[]; asPublished: boolean };
    expect(check.asPublished).toBe(false);
    expect(check.problems[0]?.ids).toHaveLength(17);
  });

  it('exits with 0 if training is as published', async () => {
    const root = join(folder, 'whole');
    cpSync(misMe, root, { recursive: true });
    for (const [part, count] of [
      ['train', 2701],
      ['val', 900],
      ['test', 900],
    ] as const) {
      const path = join(root, `labels/classification/combined_only_${part}_set.csv`);
      const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/);
      writeFileSync(
        path,
        [head, ...Array.from({ length: count }, (_, i) => lines[i % lines.length])].join('\n'),
      );
    }
    // The workbooks beside it are the small ones: `--set` reaches the loader.
    expect((await g2d('data', 'check', 'mis-me', root)).code).toBe(1);
    const { code, stdout } = await g2d('data', 'check', 'mis-me', root, '--set', 'format=csv');
    expect(stdout).toMatch(/Training on this folder is as published\./);
    expect(code).toBe(0);
  });
});

describe('g2d data tensor', () => {
  it('writes the goldens’ tensors, channels first', async () => {
    const out = join(folder, 'tensor');
    const { code, stdout } = await g2d(
      'data',
      'tensor',
      'mis-me',
      misMe,
      '--split',
      'train',
      '--index',
      '2',
      '--out',
      out,
    );
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      join(out, 'image.npy'),
      join(out, 'table.npy'),
      join(out, 'sample.json'),
      '',
    ]);
    const expected = golden.splits['train']?.samples[2];
    const image = npy(join(out, 'image.npy'));
    expect(image).toMatchObject({ shape: [3, 224, 224], dtype: 'f4' });
    for (const [at, value] of expected?.image.positions ?? []) expect(image.values[at]).toBe(value);
    const table = npy(join(out, 'table.npy'));
    expect(table).toMatchObject({ shape: [8], dtype: 'f4' });
    table.values.forEach((value, i) => expect(value).toBeCloseTo(expected?.table[i] as number, 6));
    expect(JSON.parse(readFileSync(join(out, 'sample.json'), 'utf8'))).toEqual({
      id: 'OK002_20210306_130000_2.jpg',
      label: 0.1683,
      size: 9,
      dataset: 'mis-me',
      split: 'train',
      index: 2,
      task: 'regression',
      shapes: { image: [3, 224, 224], table: [8] },
    });
  });

  it('finds a sample by its id, and follows the reference with --faithful', async () => {
    const out = join(folder, 'by-id');
    const args = [
      'data',
      'tensor',
      'av-mnist',
      avmnist,
      '--split',
      'train',
      '--id',
      'avmnist/train/19',
      '--out',
      out,
    ];
    // The fixture's 20 rows are fewer than the validation split that is held out otherwise.
    expect((await g2d(...args)).stderr).toMatch(/`validationRows` is 5000/);
    for (const spelling of ['--faithful', '--official']) expect((await g2d(...args, spelling)).code).toBe(0);
    expect(JSON.parse(readFileSync(join(out, 'sample.json'), 'utf8'))).toMatchObject({
      index: 19,
      size: 20,
      task: 'classification',
      className: expect.stringMatching(/^\d$/),
      shapes: { audio: [1, 112, 112], image: [1, 28, 28] },
    });
    const reference = npy(join(fixtures, 'avmnist/golden/train19_audio.npy')).values;
    expect(npy(join(out, 'audio.npy')).values).toEqual(reference);
    expect((await g2d(...args, '--set', 'validationRows=1')).stderr).toMatch(
      /no sample "avmnist\/train\/19"/,
    );
  });

  it('moves the channels of frames in front of time', () => {
    // [T = 2, H = 1, W = 2, C = 3]
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    const { shape, values: moved } = channelsFirst({ shape: [2, 1, 2, 3], values });
    expect(shape).toEqual([3, 2, 1, 2]);
    expect([...moved]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });
});

const decode = (uri: string): PNG => PNG.sync.read(Buffer.from(uri.split(',')[1] as string, 'base64'));
const pixel = (png: PNG, x: number, y: number): number[] => [
  ...png.data.subarray((y * png.width + x) * 4, (y * png.width + x) * 4 + 3),
];

describe('a dataset of a module', () => {
  const own = fileURLToPath(new URL('../../../runs/test/own-dataset.ts', import.meta.url));
  // A function that takes its options as they come.
  const toy = fileURLToPath(new URL('../../../runs/test/toy-dataset.ts', import.meta.url));

  it.each([
    ['a definition', own],
    ['a function', toy],
  ])('tensor and show: of %s', async (_, path) => {
    const out = join(folder, `module-${_.replace(' ', '-')}`);
    const written = await g2d('data', 'tensor', path, '--split', 'test', '--index', '2', '--out', out);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    const described = JSON.parse(readFileSync(join(out, 'sample.json'), 'utf8'));
    expect(described).toMatchObject({ id: 'toy/test/2', size: 30, shapes: { loud: [4], quiet: [4] } });
    expect(npy(join(out, 'loud.npy'))).toMatchObject({ shape: [4], dtype: 'f4' });
    const page = join(out, 'page.html');
    expect(await g2d('data', 'show', path, '--id', 'toy/test/2', '--out', page)).toMatchObject({ code: 0 });
    expect(readFileSync(page, 'utf8')).toContain('toy/test/2');
  });

  it('names an option that a function has not read', async () => {
    const said =
      /^The module .*toy-dataset\.ts, which makes the dataset, has not read its option "nonsense": is it misspelt\?\n$/;
    for (const command of [['tensor', '--index', '0'], ['check']] as const) {
      const [name, ...rest] = command;
      const out = name === 'tensor' ? ['--split', 'test', '--out', join(folder, 'nonsense')] : [];
      const { code, stderr } = await g2d('data', name, toy, '--set', 'nonsense=3', ...rest, ...out);
      expect([name, code, stderr]).toEqual([name, 0, expect.stringMatching(said)]);
    }
  });

  it('check: reads every sample, and names what cannot be used', async () => {
    expect(await g2d('data', 'check', own)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Toys\n[\s\S]*train +– +60\n[\s\S]*Every sample can be used\.\n$/),
    });
    const { code, stdout } = await g2d(
      'data',
      'check',
      toy,
      '--set',
      'broken=3',
      '--set',
      'unreadable=2',
      '--json',
    );
    const { found, problems } = JSON.parse(stdout) as DatasetCheck;
    expect([code, found]).toEqual([1, { train: 60, validation: 30, test: 30 }]);
    expect(problems).toEqual([
      {
        reason: 'sample that cannot be read',
        ids: ['toy/train/0: The file is gone.', 'toy/train/1: The file is gone.'],
      },
      { reason: 'loud with NaN or infinity', ids: ['toy/train/3'] },
    ]);
    const without = await g2d('data', 'check', own, '--set', 'validation=false', '--json');
    expect(JSON.parse(without.stdout).found).toEqual({ train: 60, test: 30 });
  });

  it('says what is wrong with options, folders and modules', async () => {
    expect((await g2d('data', 'check', own, 'somewhere')).stderr).toMatch(/Toys takes no folder/);
    expect((await g2d('data', 'check', own, '--set', 'valid=1')).stderr).toMatch(
      /there is no option `valid`/,
    );
    const five = join(folder, 'five.mjs');
    writeFileSync(five, 'export default () => 5;');
    expect((await g2d('data', 'check', five)).stderr).toMatch(/must give the train split of the dataset/);
  });
});

describe('g2d data show', () => {
  it('writes a page that loads nothing: picture, named numbers, target', async () => {
    const out = join(folder, 'pages/mis-me.html');
    expect((await g2d('data', 'show', 'mis-me', misMe, '--index', '1', '--out', out)).stdout).toBe(
      `${out}\n`,
    );
    const page = readFileSync(out, 'utf8');
    expect(page).toMatch(/<h1><small>target<\/small> 0\.\d+<\/h1>/);
    expect(page).toMatch(/MIS-ME, test, sample 1 of 5: OK001_20210306_130000_1\.jpg/);
    expect(page).toMatch(/<th scope="row">wind_speed<\/th><td>-?[\d.]+<\/td>/);
    expect(page).not.toMatch(/https?:|<script/);
    const [, uri] = /<img src="(data:[^"]+)"/.exec(page) as unknown as [string, string];
    const png = decode(uri);
    expect([png.width, png.height]).toEqual([224, 224]);
  });

  it('shows a modality as a picture only where an option of the dataset makes it one', async () => {
    const shown = async (pix: string) => {
      const out = join(folder, `numeral-${pix}.html`);
      const where = ['data', 'show', 'multiple-features', numerals, '--index', '3', '--out', out];
      expect((await g2d(...where, '--set', 'views=["pix"]', '--set', `pix=${pix}`)).code).toBe(0);
      return decode(
        (/<img src="(data:[^"]+)"/.exec(readFileSync(out, 'utf8')) as unknown as [string, string])[1],
      );
    };
    expect(await shown('picture')).toMatchObject({ width: 15, height: 16 });
    expect(await shown('vector')).toMatchObject({ width: 240, height: 160 });
  });

  it('plays the recording where there is one', async () => {
    const out = join(folder, 'crema-d.html');
    const root = join(fixtures, 'transforms/cremad/root');
    const args = [
      'data',
      'show',
      'crema-d',
      root,
      '--split',
      'train',
      '--id',
      '1001_DFA_ANG_XX',
      '--faithful',
      '--out',
      out,
    ];
    expect((await g2d(...args)).code).toBe(0);
    const page = readFileSync(out, 'utf8');
    expect(page).toMatch(/<h1><small>class<\/small> ANG<\/h1>/);
    const [, base64] = /<audio controls src="data:audio\/wav;base64,([^"]+)"/.exec(page) as unknown as [
      string,
      string,
    ];
    expect(
      Buffer.from(base64, 'base64').equals(readFileSync(join(root, 'AudioWAV/1001_DFA_ANG_XX.wav'))),
    ).toBe(true);
    expect(page.match(/<img /g)).toHaveLength(2);
  });

  it('shows sequences wide enough to see, and many numbers without names as bars', async () => {
    const sequences = join(folder, 'ur-funny.html');
    const words = [
      'data',
      'show',
      'ur-funny',
      join(fixtures, 'io/urfunny/raw_python3_p4'),
      '--id',
      '2',
      '--out',
      sequences,
    ];
    expect((await g2d(...words)).code).toBe(0);
    // Four words: 24 columns each. 81 features fill 3 rows each; 371 and 300 are kept as they are.
    expect(readFileSync(sequences, 'utf8').match(/width="\d+" height="\d+"/g)).toEqual([
      'width="96" height="243"',
      'width="96" height="371"',
      'width="96" height="300"',
    ]);
    const vectors = join(folder, 'gcnet.html');
    const root = join(folder, 'gcnet');
    cpSync(join(fixtures, 'io/iemocap/gcnet'), root, { recursive: true });
    cpSync(join(fixtures, 'datasets/iemocap/gcnet'), root, { recursive: true });
    expect(
      (await g2d('data', 'show', 'iemocap', root, '--set', 'form=gcnet', '--index', '0', '--out', vectors))
        .code,
    ).toBe(0);
    const page = readFileSync(vectors, 'utf8');
    expect(page).not.toMatch(/<table/);
    expect(page.match(/width="\d+" height="\d+"/g)).toEqual([
      'width="512" height="160"',
      'width="1024" height="160"',
      'width="1024" height="160"',
    ]);
  });

  it('draws bars from the line of 0, up and down', () => {
    const [picture] = picturesOf({ kind: 'bars' }, { shape: [3], values: Float32Array.of(3, -1, 0) });
    const png = decode(picture?.uri as string);
    expect([png.width, png.height]).toEqual([3, 160]);
    const dark = (x: number): number[] =>
      Array.from({ length: 160 }, (_, y) => y).filter((y) => pixel(png, x, y)[0] === 81);
    // 3 of the 4 units of height are above the line, which is row 119.
    expect([dark(0)[0], dark(0).at(-1)]).toEqual([0, 119]);
    expect([dark(1)[0], dark(1).at(-1)]).toEqual([119, 159]);
    expect(dark(2)).toEqual([119]);
  });

  it('undoes the scaling of colours', () => {
    const view = { kind: 'pixels', mean: [0.5, 0, 0.25], std: [0.5, 1, 0.25] } as const;
    const values = Float32Array.of(-1, 0, 3, 1, 0.5, -1);
    const [picture] = picturesOf(view, { shape: [1, 1, 2, 3], values });
    const png = decode(picture?.uri as string);
    expect(pixel(png, 0, 0)).toEqual([0, 0, 255]);
    expect(pixel(png, 1, 0)).toEqual([255, 128, 0]);
  });

  it('draws low frequencies at the bottom, and features downwards', () => {
    const sound = picturesOf({ kind: 'spectrogram' }, { shape: [2, 1, 1], values: Float32Array.of(5, 1) });
    expect(pixel(decode(sound[0]?.uri as string), 0, 1)).toEqual([252, 253, 191]);
    expect(pixel(decode(sound[0]?.uri as string), 0, 0)).toEqual([0, 0, 4]);
    // [T = 2, D = 2]: the first feature rises, the second does not vary.
    const sequence = picturesOf({ kind: 'sequence' }, { shape: [2, 2], values: Float32Array.of(1, 7, 9, 7) });
    const png = decode(sequence[0]?.uri as string);
    expect([pixel(png, 0, 0)[0], pixel(png, 1, 0)[0], pixel(png, 0, 1)[0], pixel(png, 1, 1)[0]]).toEqual([
      0, 255, 0, 0,
    ]);
  });
});

describe('g2d bench data', () => {
  it('counts what the pipeline delivers, next to what a step takes', async () => {
    const args = [
      '--dataset',
      'av-mnist',
      '--root',
      avmnist,
      '--faithful',
      '--batch',
      '2',
      '--workers',
      '0',
      '--seconds',
      '1',
    ];
    const { code, stdout } = await g2d('bench', 'data', ...args, '--backend', 'tensorflow', '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Record<
      'samples' | 'seconds' | 'samplesPerSecond' | 'ratio',
      number
    > & {
      step: { ms: number; samplesPerSecond: number };
    };
    expect(report).toMatchObject({
      dataset: 'av-mnist',
      split: 'train',
      batch: 2,
      workers: 0,
      transform: 'train',
    });
    expect(report.seconds).toBeGreaterThanOrEqual(1);
    expect(report.samplesPerSecond / (report.samples / report.seconds)).toBeCloseTo(1, 1);
    expect(report.step.samplesPerSecond / (2000 / report.step.ms)).toBeCloseTo(1, 1);
    expect(report.ratio / (report.samplesPerSecond / report.step.samplesPerSecond)).toBeCloseTo(1, 1);
    const text = await g2d('bench', 'data', ...args, '--no-step');
    expect(text.stdout).toMatch(
      /^AV-MNIST, train, batch 2, 0 workers, train transform: \d+ samples in 1\.\d s\n/,
    );
    expect(text.stdout).not.toMatch(/step/);
  });

  it.each([
    [['--root', 'x'], /No dataset is named/],
    [['--dataset', 'av-mnist'], /--root is missing/],
    [['--dataset', 'av-mnist', '--root', avmnist, '--seconds', '0'], /--seconds is "0"/],
    [['--dataset', 'av-mnist', '--root', avmnist, '--transform', 'x'], /--transform is "x"/],
    [['x'], /"x" is one argument too many; the folder is given by --root/],
  ])('refuses %o', async (args, message) => {
    const { code, stderr } = await g2d('bench', 'data', ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
