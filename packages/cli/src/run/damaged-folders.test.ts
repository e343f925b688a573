// Every file of a run folder, damaged in every way, under every command: nothing that a run wrote disappears, and what happens is right
// or said in a sentence.
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toyConfig, toyTeacher } from '../../../runs/test/toy-config.js';
import { main } from '../main.js';

/** What the disk does: mocked, as permissions mean nothing to root. */
const disk = vi.hoisted(() => ({
  /** This file, or folder, is not given any more. */
  unreadable: '',
  /** Files of such paths find no space. */
  full: undefined as RegExp | undefined,
  open: new Map<number, string>(),
}));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const fail = (code: string): never => {
    throw Object.assign(new Error(`${code}: the disk fails`), { code, syscall: 'read' });
  };
  const reading =
    <A extends unknown[], R>(call: (path: never, ...rest: A) => R) =>
    (path: unknown, ...rest: A): R =>
      disk.unreadable !== '' && path === disk.unreadable ? fail('EIO') : call(path as never, ...rest);
  return {
    ...fs,
    readFileSync: reading(fs.readFileSync),
    readdirSync: reading(fs.readdirSync),
    openSync: (...args: Parameters<typeof fs.openSync>) => {
      const file = fs.openSync(...args);
      disk.open.set(file, String(args[0]));
      return file;
    },
    writeSync: (file: number, ...rest: [Uint8Array]) =>
      disk.full?.test(disk.open.get(file) ?? '') ? fail('ENOSPC') : fs.writeSync(file, ...rest),
  };
});

const root = mkdtempSync(join(tmpdir(), 'g2d-damaged-'));
const config = join(root, 'toy.json');
const at = (...names: string[]): string => join(root, ...names);

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

/** Paths and contents below a folder. */
function contents(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) =>
      lstatSync(join(folder, name)).isDirectory() ? [] : [[name, readFileSync(join(folder, name), 'latin1')]],
    ),
  );
}

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  missing: (path) => rmSync(path, { recursive: true }),
  empty: (path) => writeFileSync(path, ''),
  half: (path) => writeFileSync(path, readFileSync(path).subarray(0, readFileSync(path).length / 2)),
  folder: (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  file: (path) => {
    rmSync(path, { recursive: true });
    writeFileSync(path, 'a file');
  },
  unreadable: (path) => void (disk.unreadable = path),
};

const damages = (path: string): string[] =>
  lstatSync(path).isDirectory()
    ? ['missing', 'file', 'unreadable']
    : ['missing', 'empty', 'half', 'folder', 'unreadable'];

const train = (folder: string): string[] => ['train', config, '--method', 'g2d', '--out', folder, '--quiet'];
const COMMANDS: Readonly<Record<string, (folder: string) => string[]>> = {
  train,
  resume: (folder) => [...train(folder), '--resume'],
  evaluate: (folder) => ['evaluate', folder, '--split', 'test', '--trust'],
  report: (folder) => ['report', folder],
  compare: (folder) => ['compare', folder],
};

/** What a command must say of a file and damage: the first line that fits. Code 0 and nothing to say, where there is none. */
type Expected = readonly (readonly [what: RegExp, code: number, said?: RegExp])[];

const SETTINGS: Expected[number] = [/^config\.json/, 2, /config\.json(: it is| is there and cannot be read)/];
const SUMMARY: Expected[number] = [
  /^summary\.json (empty|half|unreadable)/,
  2,
  /summary\.json(: it is| is there and cannot)/,
];
const KIND: Expected[number] = [/^\S+ (folder|file)$/, 2, /is a (folder|file), but a run writes/];

/** Said as the run goes on, when the file can still be put back, and at its end. */
const lostBest = (why: string): RegExp =>
  new RegExp(
    `epoch 2, the best so far, are not there: .*${why}[^]*epoch 2, the best, are not there: .*${why}`,
  );

const CASES: readonly {
  readonly kind: 'finished' | 'stopped';
  readonly command: string;
  readonly files: readonly string[];
  readonly expected: Expected;
}[] = [
  {
    kind: 'finished',
    command: 'train',
    files: ['config.json', 'metrics.jsonl', 'summary.json', 'checkpoints'],
    expected: [
      [/^config\.json missing/, 2, /holds what a run wrote .* its config\.json is gone/],
      SETTINGS,
      SUMMARY,
      KIND,
      [/^summary\.json missing/, 2, /holds a run that is not finished/],
      [/./, 2, /holds a finished run/],
    ],
  },
  {
    kind: 'finished',
    command: 'resume',
    files: ['config.json', 'metrics.jsonl', 'summary.json', 'predictions.json', 'report.html', 'checkpoints'],
    expected: [
      [/^config\.json missing/, 2, /holds what a run wrote .* its config\.json is gone/],
      SETTINGS,
      SUMMARY,
      KIND,
      // The page of a finished run is written again.
      [/^metrics\.jsonl (missing|unreadable)/, 2, /metrics\.jsonl: cannot be read/],
      [/^metrics\.jsonl half/, 2, /metrics\.jsonl: line 2: not valid JSON/],
      [/^predictions\.json (empty|half|unreadable)/, 2, /predictions\.json: (not valid JSON|cannot be read)/],
    ],
  },
  {
    kind: 'stopped',
    command: 'train',
    files: ['config.json', 'checkpoints', 'checkpoints/last'],
    expected: [
      [/^config\.json missing/, 2, /holds what a run wrote .* its config\.json is gone/],
      SETTINGS,
      [
        /^checkpoints missing/,
        2,
        /has no checkpoints\/last to go on from, but other things .*: records of 2 epochs/,
      ],
      [/^checkpoints file/, 2, /is a file, but a run writes/],
      [/./, 2, /holds a run that is not finished/],
    ],
  },
  {
    kind: 'stopped',
    command: 'resume',
    files: [
      'config.json',
      'metrics.jsonl',
      'tensorboard',
      'checkpoints',
      'checkpoints/last',
      'checkpoints/last/state.json',
      'checkpoints/last/model.safetensors',
      'checkpoints/best',
      'checkpoints/best/model.safetensors',
      'teachers/loud/config.json',
      'teachers/loud/summary.json',
      'teachers/loud/model.safetensors',
    ],
    expected: [
      [/^config\.json missing/, 2, /holds what a run wrote .* its config\.json is gone/],
      SETTINGS,
      [
        /^metrics\.jsonl (missing|empty)/,
        0,
        /has no record of 1 of the 1 epochs that are done|no record of 2 of the 2/,
      ],
      [/^metrics\.jsonl half/, 0, /no record of 1 of the 2/],
      [/^metrics\.jsonl unreadable/, 2, /metrics\.jsonl is there and cannot be read/],
      [/^tensorboard unreadable/, 2, /tensorboard cannot be written/],
      [
        /^checkpoints missing/,
        2,
        /has no checkpoints\/last to go on from, but other things .*: records of 2 epochs/,
      ],
      [/^checkpoints\/last missing/, 0, /last is missing; last\.previous is used in its place/],
      [
        /^checkpoints\/last\S* (?!unreadable)/,
        0,
        /last is damaged .*last\.previous is used[^]*is kept as .*last\.damaged-1/,
      ],
      [/^checkpoints\/last\/\S+ unreadable/, 0, /last is damaged .*EIO.*last\.previous is used/],
      [/^checkpoints\/best missing/, 0, lostBest('best is missing')],
      [/^checkpoints\/best\S* (?!unreadable)/, 0, lostBest('best is damaged')],
      [/^checkpoints\/best\/\S+ unreadable/, 0, lostBest('EIO')],
      [/^teachers\/loud\/summary\.json missing/, 0],
      [/^teachers/, 2, /teachers\/loud/],
      [/^\S+ (folder|file)$/, 2, /is a (folder|file), but a run writes/],
    ],
  },
  {
    kind: 'finished',
    command: 'evaluate',
    files: [
      'config.json',
      'summary.json',
      'checkpoints',
      'checkpoints/best',
      'checkpoints/best/state.json',
      'checkpoints/best/model.safetensors',
      'teachers/loud/model.safetensors',
    ],
    expected: [
      [/^config\.json missing/, 2, /is no run folder: it has no config\.json/],
      SETTINGS,
      [/^summary\.json missing/, 0],
      [/^summary\.json folder/, 2, /summary\.json is there and cannot be read/],
      SUMMARY,
      [/^checkpoints (missing|file)/, 2, /has no checkpoint "best"/],
      [/^checkpoints\/best missing/, 0, /best is missing; best\.previous is used in its place/],
      [/^checkpoints\/best\S* (?!unreadable)/, 0, /best is damaged .*best\.previous is used/],
      [/^checkpoints\/best\/\S+ unreadable/, 0, /best is damaged .*EIO.*best\.previous is used/],
      [/^teachers/, 2, /teachers\/loud/],
    ],
  },
  ...(['report', 'compare'] as const).map((command) => ({
    kind: 'finished' as const,
    command,
    files: [
      'config.json',
      'metrics.jsonl',
      'summary.json',
      'predictions.json',
      'teachers/loud/config.json',
      'teachers/loud/summary.json',
    ],
    expected: [
      [
        /^config\.json missing/,
        2,
        command === 'report' ? /is no run folder/ : /config\.json: cannot be read/,
      ],
      [
        /^summary\.json missing/,
        command === 'report' ? 0 : 2,
        command === 'report' ? undefined : /no finished run/,
      ],
      [/^metrics\.jsonl missing/, 2, /metrics\.jsonl: cannot be read/],
      [/ missing$/, 0],
      [/^metrics\.jsonl empty/, 0],
      [/./, 2, /(config|summary|predictions)\.json|metrics\.jsonl/],
    ] as Expected,
  })),
];

describe('a run folder with a damaged file', () => {
  beforeAll(async () => {
    process.env['G2D_BACKEND'] = 'cpu';
    // Bars of progress.
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    for (const modality of ['loud', 'quiet'] as const) {
      writeFileSync(at(`${modality}.json`), JSON.stringify(toyTeacher(modality, { epochs: 1 })));
      await g2d('train', at(`${modality}.json`), '--out', at(modality), '--quiet');
    }
    const smp = { phaseEpochs: [1, 1], scope: 'encoder' };
    const teachers = { loud: at('loud'), quiet: at('quiet') };
    writeFileSync(config, JSON.stringify(toyConfig({ epochs: 2, methodOptions: { smp }, teachers })));
    const { code, err } = await g2d(...train(at('finished')));
    expect([code, err]).toEqual([0, '']);
    // Going on with it takes no step, and writes everything at the end.
    cpSync(at('finished'), at('stopped'), { recursive: true });
    for (const name of ['summary.json', 'predictions.json', 'report.html']) rmSync(at('stopped', name));
  });
  afterAll(() => {
    vi.restoreAllMocks();
    delete process.env['G2D_BACKEND'];
    rmSync(root, { recursive: true, force: true });
  });

  it.each(CASES)(
    '$command of a $kind one: nothing disappears, and what happens is right or a sentence',
    async ({ kind, command, files, expected }) => {
      const folder = at('tried');
      for (const file of files) {
        for (const damage of damages(at(kind, file))) {
          rmSync(folder, { recursive: true, force: true });
          cpSync(at(kind), folder, { recursive: true });
          const before = contents(folder);
          if (damage !== 'unreadable') {
            (DAMAGE[damage] as (path: string) => void)(join(folder, file));
            before.clear();
            for (const entry of contents(folder)) before.set(...entry);
          } else disk.unreadable = join(folder, file);
          const { code, err } = await g2d(...(COMMANDS[command] as (folder: string) => string[])(folder));
          disk.unreadable = '';
          const what = `${file} ${damage}`;
          const [, wanted = 0, said] = expected.find(([known]) => known.test(what)) ?? [];
          expect([what, code, said?.test(err) ?? true], err).toEqual([what, wanted, true]);
          const sentence = err.trim().split('\n').at(-1) ?? '';
          expect(code === 0 || /^g2d: .{20,}\.$/.test(sentence), err).toBe(true);
          const after = contents(folder);
          for (const [name, content] of before) {
            const kept = [...after].some(
              ([other, now]) => basename(other).startsWith(basename(name)) && now === content,
            );
            // What is written at the end, or anew, is written in place.
            expect(kept || (code === 0 && after.has(name)), `${what}: ${name} is gone`).toBe(true);
          }
        }
      }
    },
  );

  it.each([
    'finished/.lock',
    '/.config.json',
    'metrics.jsonl',
    'tensorboard/',
    'teachers/loud/.config.json',
    'teachers/loud/.model.safetensors',
    'teachers/quiet/.summary.json',
    'best.new/model.safetensors',
    'last.new/optimizer.safetensors',
    'last.new/state.json',
    '.predictions.json',
    '.summary.json',
    '.report.html',
  ])('a disk that is full at %s is a sentence, and the run goes on to the same numbers', async (name) => {
    const folder = at('filled', 'finished');
    rmSync(folder, { recursive: true, force: true });
    disk.full = new RegExp(`filled.*${name.replaceAll('.', String.raw`\.`)}`);
    const { code, err } = await g2d(...train(folder));
    disk.full = undefined;
    expect([code, err]).toEqual([2, expect.stringMatching(/^g2d: .*(disk is full|ENOSPC).*\.\n$/)]);
    const again = await g2d(...train(folder), '--resume');
    expect([again.code, again.err.replace(/^(There is no run|The run begins anew).*\n/gm, '')]).toEqual([
      0,
      '',
    ]);
    for (const file of ['predictions.json', 'checkpoints/last/model.safetensors']) {
      expect(readFileSync(join(folder, file))).toEqual(readFileSync(at('finished', file)));
    }
  });

  it('goes on, and says so at once and at the end, if no checkpoint of the best epoch is whole', async () => {
    const folder = at('lost');
    cpSync(at('stopped'), folder, { recursive: true });
    for (const name of ['best', 'best.previous'])
      writeFileSync(join(folder, 'checkpoints', name, 'model.safetensors'), 'x');
    const { code, err } = await g2d(...train(folder), '--resume');
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(lostBest('no earlier one of its name is complete')),
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))).toMatchObject({
      checkpoint: 'last',
      selectedEpoch: 2,
    });
  });

  it('says that a finished run is finished, whatever became of its checkpoints', async () => {
    const folder = at('whole');
    cpSync(at('finished'), folder, { recursive: true });
    for (const name of ['last', 'last.previous'])
      writeFileSync(join(folder, 'checkpoints', name, 'model.safetensors'), 'x');
    expect(await g2d(...train(folder), '--resume')).toMatchObject({ code: 0, err: '' });
    const longer = await g2d(...train(folder), '--resume', '--set', 'epochs=3');
    expect([longer.code, longer.err]).toEqual([
      2,
      expect.stringMatching(/^g2d: .*last: the checkpoint is damaged/),
    ]);
  });

  it('keeps a sweep from no other run, and says which one cannot be read', async () => {
    const file = at('sweep.json');
    writeFileSync(at('base.json'), JSON.stringify(toyConfig({ epochs: 1 })));
    writeFileSync(
      file,
      JSON.stringify({ name: 'sweep', base: 'base.json', out: at('sweep'), grid: { seed: [0, 1] } }),
    );
    const sweep = (): ReturnType<typeof g2d> => g2d('sweep', file, '--quiet');
    expect(await sweep()).toMatchObject({ code: 0 });
    const run = at('sweep', 'seed-0', 'joint');
    for (const name of ['config.json', 'summary.json']) {
      for (const damage of ['empty', 'half', 'unreadable']) {
        const whole = readFileSync(join(run, name));
        (DAMAGE[damage] as (path: string) => void)(join(run, name));
        rmSync(at('sweep', 'seed-1'), { recursive: true, force: true });
        const { code, out } = await sweep();
        const [bad, good] = out.split('\n');
        // A finished run is finished, also where its settings cannot be read any more.
        const [wanted, state] =
          name === 'summary.json' ? [1, /^failed +seed-0.*summary\.json/] : [0, /^finished/];
        expect([code, bad]).toEqual([wanted, expect.stringMatching(state)]);
        expect(good).toMatch(/^finished +seed-1/);
        disk.unreadable = '';
        writeFileSync(join(run, name), whole);
        rmSync(at('sweep', 'seed-0', 'joint.failed.json'), { force: true });
      }
    }
    expect(await sweep()).toMatchObject({ code: 0 });
  });
});
