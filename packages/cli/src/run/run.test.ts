// `g2d train`, `evaluate`, `report`, `compare` and `export` as a user types them.
import * as tf from '@tensorflow/tfjs';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../../../runs/test/toy-config.js';
import { findBrowser, runPage } from '../../../../test/browser/run-page.js';
import { RunFolder, loadRun } from '@g2d/runs';
import { main } from '../main.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-cli-'));
const config = join(root, 'toy.json');
const at = (name: string): string => join(root, name);
const smp = { phaseEpochs: [1, 2], scope: 'encoder' };

beforeAll(() => {
  process.env['G2D_BACKEND'] = 'cpu';
  const teachers = { loud: at('teacher-loud'), quiet: at('teacher-quiet') };
  writeFileSync(config, JSON.stringify(toyConfig({ methodOptions: { smp }, teachers })));
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  rmSync(root, { recursive: true, force: true });
});

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

describe('the commands around a run', () => {
  beforeAll(async () => {
    for (const modality of ['loud', 'quiet']) {
      const args = ['train', config, '--teacher', modality, '--out', at(`teacher-${modality}`), '--quiet'];
      expect(await g2d(...args)).toMatchObject({ code: 0 });
    }
    for (const seed of ['0', '1']) {
      for (const method of ['joint', 'g2d']) {
        const out = at(`runs/${method}-${seed}`);
        const found = await g2d('train', config, '--method', method, '--seed', seed, '--out', out, '--quiet');
        expect(found).toMatchObject({ code: 0, out: expect.stringMatching(/test, fused +\d+\.\d/) });
      }
    }
  });

  it('train: writes a report too, and gives its summary as JSON', async () => {
    const page = readFileSync(join(at('runs/g2d-0'), 'report.html'), 'utf8');
    expect(page).toContain('quiet');
    expect(page).not.toMatch(/(src|href)="https?:/);
    const { code, out } = await g2d(
      'train',
      config,
      '--json',
      '--quiet',
      '--epochs',
      '1',
      '--out',
      at('json'),
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ method: 'joint', epochs: 1, select: 'validation-best' });
  });

  it('evaluate: gives the numbers of the summary again', async () => {
    const { code, out } = await g2d('evaluate', '--trust', at('runs/g2d-0'), '--json');
    expect(code).toBe(0);
    const { metrics } = JSON.parse(readFileSync(join(at('runs/g2d-0'), 'summary.json'), 'utf8'));
    expect(JSON.parse(out).metrics).toEqual(metrics);
    const last = await g2d(
      'evaluate',
      '--trust',
      at('runs/g2d-0'),
      '--split',
      'train',
      '--checkpoint',
      'last',
    );
    expect(last.out).toMatch(/checkpoint last, epoch 3[\s\S]*train, fused +\d/);
  });

  it('train and evaluate: data that are not what they were, with both sides', async () => {
    const folder = at('folder');
    const write = (size: number): void => {
      mkdirSync(folder, { recursive: true });
      for (const split of ['train', 'test']) {
        const samples = Array.from({ length: size }, (_, i) => ({
          id: `${split}-${i}`,
          label: i % 2,
          inputs: { loud: [i, 1], quiet: [i % 2] },
        }));
        writeFileSync(join(folder, `${split}.json`), JSON.stringify({ classNames: ['a', 'b'], samples }));
      }
    };
    const path = fileURLToPath(new URL('../../../runs/test/folder-dataset.ts', import.meta.url));
    const dataset = { name: 'module', path, options: { folder } };
    const file = at('folder.json');
    writeFileSync(file, JSON.stringify(toyConfig({ dataset, select: 'last', epochs: 1 })));
    const train = ['train', file, '--out', at('folder-run'), '--quiet'];
    write(6);
    expect(await g2d(...train)).toMatchObject({ code: 0 });
    expect(await g2d('evaluate', at('folder-run'), '--trust')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^Loading what [^\n]+\n$/),
    });
    write(8);
    const words = 'samples: 6 then, 8 now';
    const refused = await g2d(...train, '--resume');
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`(${words})`) });
    expect(refused.err).toContain('--allow-changed');
    expect(await g2d(...train, '--resume', '--allow-changed')).toMatchObject({ code: 0 });
    const { code, out, err } = await g2d(
      'evaluate',
      at('folder-run'),
      '--trust',
      '--split',
      'test',
      '--json',
    );
    const note = `The test split is not the one that the run began with (${words}).`;
    expect([code, err, JSON.parse(out).notes]).toEqual([0, expect.stringContaining(`\n${note}\n`), [note]]);
  });

  it('compare: one line for the seeds of a method, as text, Markdown, CSV, JSON and a page', async () => {
    const text = await g2d('compare', at('runs'), '--out', at('compare.html'));
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/Joint training +2 +validation .*±/);
    expect(text.out).toMatch(/G2D +2 +validation .*±/);
    expect(readFileSync(at('compare.html'), 'utf8')).toContain('G2D');
    expect((await g2d('compare', at('runs'), '--format', 'markdown')).out).toContain('| G2D | 2 |');
    expect((await g2d('compare', at('runs'), '--format', 'csv')).out.split('\r\n')[0]).toMatch(/^\w+,/);
    const { tables } = JSON.parse((await g2d('compare', at('runs'), '--json')).out);
    expect(tables[0].rows.map(({ seeds }: { seeds: unknown }) => seeds)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('compare: names what is selected on the test split', async () => {
    const options = ['--set', 'select=test-best', '--out', at('optimistic'), '--quiet'];
    const { out } = await g2d('train', config, ...options);
    expect(out).toMatch(/chosen ON THE TEST SPLIT/);
    expect((await g2d('compare', at('optimistic'))).out).toMatch(/\(test-best\)/);
    expect(readFileSync(join(at('optimistic'), 'report.html'), 'utf8')).toMatch(/\(test-best\)/);
  });

  it('export: a model that plain TensorFlow.js loads, with the same logits', async () => {
    const { code, out } = await g2d('export', '--trust', at('runs/g2d-0'), '--out', at('model'));
    expect(code).toBe(0);
    expect(out).toContain(`tf.loadLayersModel('file://${at('model')}/model.json')`);
    const { modelTopology, weightsManifest } = JSON.parse(
      readFileSync(join(at('model'), 'model.json'), 'utf8'),
    );
    // Nobody has said what was done to the toy's numbers: that is said.
    expect(out).toContain('// loud: the dataset does not say what was done to its numbers');
    const weightData = new Uint8Array(readFileSync(join(at('model'), 'weights.bin'))).buffer;
    const weightSpecs = weightsManifest[0].weights;
    const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
    const described = JSON.parse(readFileSync(join(at('model'), 'g2d.json'), 'utf8'));
    expect(described).toMatchObject({
      inputs: [
        { modality: 'loud', shape: [4] },
        { modality: 'quiet', shape: [4] },
      ],
      outputs: ['fused', 'loud', 'quiet'],
      classNames: ['a', 'b', 'c'],
    });
    const run = await loadRun(at('runs/g2d-0'), { trust: true });
    const { id: _, inputs, label } = await run.data.test.sample(5);
    const row = (name: string) => tf.tensor2d(inputs[name] as Float32Array, [1, 4]);
    const [fused] = model.predict([row('loud'), row('quiet')]) as tf.Tensor[];
    const batch = {
      inputs: { loud: row('loud'), quiet: row('quiet') },
      ids: ['x'],
      labels: tf.tensor1d([label as number], 'int32'),
    };
    expect([...fused!.dataSync()]).toEqual(
      [...run.predict(batch).logits.dataSync()].map((z) => expect.closeTo(z, 5)),
    );
    await expect(g2d('export', '--trust', at('runs/g2d-0'), '--out', root)).resolves.toMatchObject({
      code: 2,
    });
  });

  it('export: carries what has to be done to raw inputs, in the model itself and in the printed lines', async () => {
    writeFileSync(
      at('scaled.mjs'),
      `import open from ${JSON.stringify(resolve(import.meta.dirname, '../../../runs/test/toy-dataset.ts'))};
export default (options) => ({
  ...open(options),
  preprocessing: {
    loud: { from: 'bytes', divideBy: 255 },
    quiet: { from: 'volts', sampleRate: 8000, mean: [1, 2, 3, 4], std: [2, 2, 2, 2] },
  },
});
`,
    );
    const set = ['--set', `dataset.path=${at('scaled.mjs')}`];
    await g2d('train', config, ...set, '--epochs', '1', '--out', at('runs-scaled'), '--quiet');
    const { out } = await g2d('export', at('runs-scaled'), '--out', at('scaled'), '--trust');
    expect(out).toContain(
      '// loud: bytes\nconst loud = tf.zeros([1, 4]).div(inputs[0].preprocessing.divideBy);',
    );
    expect(out).toContain(
      '// quiet: volts, at 8000 Hz\nconst quiet = tf.zeros([1, 4]).sub(inputs[1].preprocessing.mean).div(inputs[1].preprocessing.std);',
    );
    // The very lines, with a raw input that the preprocessing takes to ones.
    const text = JSON.parse(readFileSync(join(at('scaled'), 'model.json'), 'utf8'));
    const model = await tf.loadLayersModel({
      load: async () => ({
        modelTopology: text.modelTopology,
        userDefinedMetadata: text.userDefinedMetadata,
        weightSpecs: text.weightsManifest[0].weights,
        weightData: new Uint8Array(readFileSync(join(at('scaled'), 'weights.bin'))).buffer,
      }),
    });
    const { inputs, classNames } = model.getUserDefinedMetadata() as never as {
      inputs: { preprocessing: { divideBy: number; mean: number[]; std: number[] } }[];
      classNames: string[];
    };
    expect(classNames).toEqual(['a', 'b', 'c']);
    const { mean, std } = inputs[1]!.preprocessing;
    expect([
      ...tf
        .tensor2d([[3, 4, 5, 6]])
        .sub(mean)
        .div(std)
        .dataSync(),
    ]).toEqual([1, 1, 1, 1]);
    expect(inputs[0]!.preprocessing.divideBy).toBe(255);
  });

  const browser = findBrowser();
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], 'install chromium').toBe(true);
  });

  it.skipIf(!browser)('export: opens in a browser page that has nothing but TensorFlow.js', async () => {
    await g2d('export', '--trust', at('runs/g2d-0'), '--out', at('page/toy'));
    writeFileSync(
      at('page/cases.json'),
      JSON.stringify({
        toy: [
          [2, 4],
          [2, 4],
        ],
      }),
    );
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    copyFileSync(join(tfjs, 'dist/tf.min.js'), at('page/tf.min.js'));
    const page = await runPage({
      browser: browser!,
      folders: [resolve(import.meta.dirname, '../../../encoders/test/browser'), at('page')],
      page: '/page.html?backend=cpu&encoders=toy',
      timeoutMs: 50_000,
    });
    const { model, close } = await loadRun(at('runs/g2d-0'), { trust: true });
    // The page's numbers.
    const x = tf.tensor2d(
      Array.from({ length: 8 }, (_, i) => Math.sin(i)),
      [2, 4],
    );
    const { logits, unimodalLogits } = model.forward({ inputs: { loud: x, quiet: x } }, { training: false });
    const expected = [logits, unimodalLogits['loud']!, unimodalLogits['quiet']!].map((tensor) =>
      Array.from(tensor.dataSync(), (value) => expect.closeTo(value, 5)),
    );
    expect((page as { outputs: { toy: number[][] } }).outputs.toy).toEqual(expected);
    await close();
  });

  it('report: of a run that was stopped', async () => {
    const folder = at('stopped');
    await g2d('train', config, '--out', folder, '--quiet');
    rmSync(join(folder, 'summary.json'));
    rmSync(join(folder, 'report.html'));
    const { code, out } = await g2d('report', folder);
    expect([code, out.trim()]).toEqual([0, join(folder, 'report.html')]);
    expect(readFileSync(out.trim(), 'utf8')).toMatch(/not finished/i);
    const compared = await g2d('compare', folder, at('runs'));
    expect(compared.err).toContain(`${folder} is not finished, and left out.`);
    // A seed that is not there is named where its numbers would be.
    expect(compared.out).toMatch(/: seed \d+ \(.*stopped, not finished: epoch \d of \d\)/);
  });

  it('report, evaluate, export: run no code that a folder names, and say what they would load', async () => {
    const run = at('foreign');
    await g2d('train', config, '--out', run, '--epochs', '1', '--quiet');
    const path = join(run, 'config.json');
    const ran = at('ran');
    const evil = at('evil.mjs');
    writeFileSync(
      evil,
      `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(ran)}, '');\nexport default 5;`,
    );
    const recorded = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>;
    const { dataset, encoders, fusion, method } = recorded;
    const places: Record<string, object> = {
      'the dataset': { dataset: { ...dataset, path: evil } },
      'the encoder for loud': { encoders: { ...encoders, loud: { type: 'module', path: evil } } },
      'the fusion': { fusion: { type: 'module', path: evil } },
      'a method': { method: evil, methodOptions: {} },
    };
    for (const [what, changes] of Object.entries(places)) {
      writeFileSync(path, JSON.stringify({ ...recorded, dataset, encoders, fusion, method, ...changes }));
      for (const command of ['evaluate', 'export']) {
        const { code, err } = await g2d(command, run);
        expect([code, err]).toEqual([2, expect.stringContaining(`${evil} (${what})`)]);
        expect(err).toMatch(/say so with --trust/);
      }
      const report = await g2d('report', run);
      expect([report.code, report.err]).toEqual([0, expect.stringContaining('Without samples: the module')]);
      expect(existsSync(ran)).toBe(false);
    }
    // Of a teacher's folder, which the configuration names but has not written.
    const teacher = at('foreign-teacher');
    await g2d('train', config, '--teacher', 'loud', '--out', teacher, '--epochs', '1', '--quiet');
    const its = JSON.parse(readFileSync(join(teacher, 'config.json'), 'utf8')) as { encoders: object };
    const encoders2 = { ...its.encoders, loud: { type: 'module', path: evil } };
    writeFileSync(join(teacher, 'config.json'), JSON.stringify({ ...its, encoders: encoders2 }));
    const student = [
      'train',
      config,
      '--method',
      'g2d',
      '--set',
      `teachers.loud=${teacher}`,
      '--out',
      at('student'),
    ];
    const taught = await g2d(...student, '--quiet');
    expect([taught.code, taught.err]).toEqual([
      2,
      expect.stringContaining(
        `The folder ${teacher} names modules that would be loaded: ${evil} (the encoder for loud)`,
      ),
    ]);
    expect(existsSync(ran)).toBe(false);
    const { err } = await g2d('evaluate', run, '--trust');
    expect(err).toContain(`Loading what ${run} names: `);
    expect(existsSync(ran)).toBe(true);
  });

  beforeAll(() => {
    mkdirSync(at('modules'));
    const modules = {
      'no-method': 'export default () => 5;',
      typo: "export default () => ({ name: 'typo', losss() {} });",
      throws: "export default () => { throw new Error('my bug'); };",
      broken: 'export default () => {',
      five: 'export default () => 5;',
    };
    for (const [name, text] of Object.entries(modules)) writeFileSync(at(`modules/${name}.mjs`), text);
  });

  it.runIf(process.platform === 'linux')('answers with one sentence where --out cannot be made', async () => {
    const { code, err } = await g2d('train', config, '--out', '/proc/g2d/run');
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /The run folder \/proc\/g2d\/run cannot be locked: ENOENT.*Choose another folder/,
      ),
    ]);
  });

  it('answers with one sentence where --out is a file', async () => {
    writeFileSync(at('a-file'), '');
    expect(await g2d('train', config, '--out', at('a-file'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('is a file'),
    });
    expect(await g2d('export', '--trust', at('runs/joint-0'), '--out', at('a-file'))).toMatchObject({
      code: 2,
    });
  });

  it('begins anew where a mistake was noticed before anything was saved', async () => {
    const out = ['--out', at('corrected'), '--quiet'];
    const wrong = await g2d(
      'train',
      config,
      '--method',
      'g2d',
      '--set',
      'methodOptions.smp.scope=conv',
      ...out,
    );
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining('acts on parameters of the kind conv, and loud has none'),
    });
    expect(await g2d('train', config, '--method', 'g2d', ...out)).toMatchObject({ code: 0 });
  });

  it('does not export what does not predict', async () => {
    await g2d('train', config, '--method', 'ume', '--epochs', '0', '--out', at('ume'), '--quiet');
    const { code, err } = await g2d('export', '--trust', at('ume'));
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('The method "ume" predicts in a way of its own'),
    ]);
  });

  it.each([
    [['train'], 'CONFIG is missing'],
    [['train', 'nowhere.json'], 'The configuration nowhere.json cannot be read: it does not exist'],
    [
      ['train', 'CONFIG', '--set', 'optimizer.lr=1'],
      'unknown key "optimizer.lr"; known here: type, learningRate',
    ],
    [['train', 'CONFIG', '--set', 'batchSize=0'], '"batchSize" is 0; it must be at least 1'],
    [['train', 'CONFIG', '--epochs', 'many'], '"epochs" is "many"; it must be a number'],
    [['train', 'CONFIG', '--method', 'g3d'], 'There is no method "g3d"; "method" can be joint, linear-probe'],
    [['train', 'CONFIG', '--teacher', 'loud', '--method', 'g2d'], '--teacher trains one modality alone'],
    [['train', 'CONFIG', '--teacher', 'smell'], 'has no modality "smell". Known modalities: loud, quiet'],
    [
      ['train', 'CONFIG', '--method', 'ogm', '--set', 'methodOptions.ogm={}'],
      '"methodOptions.ogm.alpha" is missing',
    ],
    [['train', 'CONFIG', '--set', 'dataset={"name":"crema-d","root":"nowhere"}'], 'nowhere'],
    [
      ['train', 'CONFIG', '--set', 'data.augment.smell.type=random-affine-crop'],
      '"data.augment" has "smell"',
    ],
    [
      ['train', 'CONFIG', '--set', 'data.augment.loud.type=random-affine-crop'],
      'crops pictures [H, W, C], but loud has',
    ],
    [['train', 'CONFIG', '--set', 'teachers.smell=x'], '"teachers" has "smell"'],
    [
      ['train', 'CONFIG', '--set', 'methodOptions.smpp.phaseEpochs=[1]'],
      '"methodOptions" has "smpp", which is no method',
    ],
    [['train', 'CONFIG', '--epochs', '0'], '"epochs" is 0, so nothing would be trained'],
    [['train', 'CONFIG', '--method', 'MODULES/no-method.mjs'], 'no-method.mjs is no method'],
    [['train', 'CONFIG', '--method', 'MODULES/typo.mjs'], 'The method "typo" has no hook "losss"'],
    [
      ['train', 'CONFIG', '--method', 'MODULES/throws.mjs'],
      'throws.mjs, which makes a method, failed: my bug (at',
    ],
    [['train', 'CONFIG', '--method', 'MODULES/broken.mjs'], 'broken.mjs, which makes a method, failed: '],
    [
      ['train', 'CONFIG', '--set', 'dataset.path=MODULES/five.mjs'],
      'must give the train split of the dataset',
    ],
    [
      ['train', 'CONFIG', '--set', 'encoders.loud.path=MODULES/five.mjs'],
      'must give the encoder for loud, a LayersModel, but gave 5',
    ],
    [['evaluate', 'nowhere'], 'nowhere is no run folder'],
    [['evaluate', 'RUN', '--checkpoint', 'newest', '--trust'], 'no checkpoint called "newest"'],
    [['compare', 'nowhere'], 'There is no folder nowhere'],
    [['compare', 'RUN', '--format', 'xml'], '--format is "xml"; it can be text, markdown, csv'],
    [['export', 'RUN', 'RUN'], 'one argument too many'],
    [['report', 'ROOT'], 'is no run folder'],
  ])('answers %j with one sentence and exit code 2', async (args, message) => {
    const words: Readonly<Record<string, string>> = { CONFIG: config, RUN: at('runs/joint-0'), ROOT: root };
    const out = args[0] === 'train' ? ['--out', at('refused')] : [];
    const typed = args.map((arg) => words[arg] ?? arg.replace('MODULES', at('modules')));
    const { code, err } = await g2d(...typed, ...out);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(
      err
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('Loading')),
    ).toHaveLength(1);
    expect(existsSync(at('refused'))).toBe(false);
  });
});

describe('g2d train in a process of its own', () => {
  const repository = resolve(import.meta.dirname, '../../../..');
  const command = [join(repository, 'packages/cli/bin/g2d.js'), 'train', config];

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('finishes the step, saves, and says how to go on: %s', async (signal, code) => {
    const out = at(`interrupted-${signal}`);
    // Long enough to be interrupted.
    const options = ['--epochs', '2000', '--set', 'evaluation.every=2000', '--out', out];
    const child = spawn(process.execPath, [...command, ...options], {
      cwd: repository,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    while (!existsSync(join(out, 'checkpoints/last')) && child.exitCode === null) await sleep(20);
    child.kill(signal);
    const [exit] = (await once(child, 'close')) as [number];
    expect([exit, errors]).toEqual([
      code,
      expect.stringContaining(`g2d train ${join(out, 'config.json')} --resume`),
    ]);
    expect(errors).toMatch(/Interrupted in epoch \d+ of 2000; everything is saved/);
    expect(existsSync(join(out, '.lock'))).toBe(false);
    // Another process may go on, with the recorded configuration alone.
    const resumed = await g2d('train', join(out, 'config.json'), '--resume', '--seed', '7');
    expect(resumed.err).toContain('began with "seed" 0, but now it is 7');
  });

  it('trains on and saves all when nobody reads any more: 2>&1 | head', async () => {
    const out = at('unread');
    const options = ['--epochs', '40', '--out', out];
    const child = spawn(process.execPath, [...command, ...options], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(child.stderr, 'data');
    child.stderr.destroy();
    child.stdout.destroy();
    const [exit] = (await once(child, 'close')) as [number];
    expect(exit).toBe(0);
    expect(new RunFolder(out).lastRecord()?.epoch).toBe(40);
    expect(new RunFolder(out).summary()?.epochs).toBe(40);
    expect(existsSync(join(out, 'report.html'))).toBe(true);
  });

  it.runIf(existsSync('/dev/full'))(
    'says that a result was lost, and does not end as if it had been given',
    () => {
      const full = openSync('/dev/full', 'w');
      const bin = join(repository, 'packages/cli/bin/g2d.js');
      const { status, stderr } = spawnSync(process.execPath, [bin, 'methods'], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      closeSync(full);
      expect([status, stderr]).toEqual([
        2,
        expect.stringMatching(/^g2d: The result cannot be written to standard output: .*ENOSPC.*\n$/),
      ]);
    },
  );

  it.runIf(process.platform === 'linux')('says that the folder is gone in which it is started', () => {
    mkdirSync(at('gone'));
    const line = `cd ${at('gone')} && rmdir ${at('gone')} && exec "$0" "$@"`;
    const bin = join(repository, 'packages/cli/bin/g2d.js');
    const { status, stderr } = spawnSync('sh', ['-c', line, process.execPath, bin, 'methods'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([
      2,
      'g2d: The folder in which g2d was started is not there any more. Go to another one (cd), and try again.\n',
    ]);
  });

  it('leaves the run alone that another process is training', async () => {
    const out = at('busy');
    const options = ['--epochs', '100000', '--set', 'evaluation.every=100000', '--out', out, '--quiet'];
    const child = spawn(process.execPath, [...command, ...options], { cwd: repository, stdio: 'ignore' });
    while (!existsSync(join(out, 'config.json')) && child.exitCode === null) await sleep(20);
    const { code, err } = await g2d('train', config, '--out', out, '--resume');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect([code, err]).toEqual([2, expect.stringMatching(/in use by process \d+/)]);
  });
});

describe('a full disk', () => {
  it.runIf(existsSync('/dev/full'))('is one sentence, and what was saved stays', () => {
    const folder = new RunFolder(at('full'));
    mkdirSync(folder.path);
    symlinkSync('/dev/full', folder.file('metrics.jsonl'));
    const record = { epoch: 1, learningRate: 0.1, seconds: 1, loss: { total: 1 }, train: { fused: 1 } };
    expect(() => folder.append(record)).toThrow(
      /full cannot be written: the disk is full. Free some space, then go on with --resume/,
    );
  });
});
