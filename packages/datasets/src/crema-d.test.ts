import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTensorFlow } from '@g2d/native';
import { FileFormatError, type RandomStream } from '@g2d/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest, readEpoch, refusal } from '../test/clips.js';
import { brokenCases, damagedCopy, type BrokenCase } from '../test/damaged-copy.js';
import {
  channelsFirst,
  decimatedIndices,
  goldenFile,
  worstDifference,
  type GoldenArray,
} from '../test/golden-array.js';
import { cremaD } from './crema-d.js';
import type { CremaDOptions } from './crema-d/options.js';
import { checkCremaD } from './crema-d/check.js';
import type { Box } from './transforms/resize.js';

// Real clips and what the released Python loader of the paper makes of them; NOTICE.txt there names the licences.
const fixtures = fileURLToPath(new URL('../../../test/fixtures/datasets/cremad', import.meta.url));
const root = join(fixtures, 'root');
const published = fileURLToPath(new URL('crema-d/published', import.meta.url));
const open = (options: Partial<CremaDOptions> = {}) =>
  cremaD({ root, split: 'train', official: true, ...options });

interface GoldenSplit {
  readonly rows: number;
  readonly kept: number;
  readonly stems: readonly string[];
  readonly labels: readonly number[];
  readonly dropped: readonly { readonly stem: string; readonly missing: readonly string[] }[];
  readonly samples: readonly {
    readonly index: number;
    readonly stem: string;
    readonly label: number;
    readonly spectrogram: GoldenArray & { readonly band_means: Readonly<Record<'A' | 'B' | 'C', number>> };
    readonly image: GoldenArray;
  }[];
}
const golden = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<'train' | 'test', GoldenSplit>>;
  readonly train_transform: {
    readonly cases: readonly {
      readonly sample: number;
      readonly stem: string;
      readonly box: Box;
      readonly flip: boolean;
      readonly image: GoldenArray;
    }[];
  };
};
const samples = (['train', 'test'] as const).flatMap((split) =>
  golden.splits[split].samples.map((sample) => ({ split, ...sample })),
);

const folder = mkdtempSync(join(tmpdir(), 'g2d-cremad-'));
afterAll(() => rmSync(folder, { recursive: true }), 60_000);
let copies = 0;
/** A folder with the good tree and more files, or with these alone. */
function tree(files: Readonly<Record<string, string>>, withGood = true): string {
  const copy = join(folder, String(copies++));
  if (withGood) cpSync(root, copy, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    writeFileSync(join(copy, name), text);
  }
  return copy;
}

/** Every clip of the published lists, all with the same small sound and frame. */
const whole = join(folder, 'whole');
const stems = ['train', 'test'].flatMap((part) =>
  readFileSync(join(published, `${part}.csv`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',')[0] as string),
);
beforeAll(() => {
  const sound = join(folder, 'sound.wav');
  const frames = join(folder, 'frames');
  cpSync(join(fixtures, '../../io/wav/wav/pcm16_plain.wav'), sound);
  mkdirSync(frames);
  cpSync(join(fixtures, '../../transforms/pillow/pictures/baseline.jpg'), join(frames, '00000.jpg'));
  for (const name of ['AudioWAV', 'Image-01-FPS']) mkdirSync(join(whole, name), { recursive: true });
  // Links, since thousands of files and folders take their time.
  for (const stem of stems) {
    linkSync(sound, join(whole, `AudioWAV/${stem}.wav`));
    symlinkSync(frames, join(whole, `Image-01-FPS/${stem}`), 'junction');
  }
});

describe('as the released loader', () => {
  it.each(['train', 'test'] as const)('%s: the same clips, labels, order and drops', async (split) => {
    const dataset = await open({ split });
    const expected = golden.splits[split];
    expect(dataset.classNames).toEqual(golden.classes);
    expect(dataset.ids).toEqual(expected.stems);
    const labels = await Promise.all(
      dataset.ids.map(async (_, i) => (await dataset.sample(i, { modalities: [] })).label),
    );
    expect(labels).toEqual(expected.labels);
    const reasons = expected.dropped.map(({ stem, missing }) => [
      { 'audio,frames': 'no sound and no frame folder', audio: 'no sound', frames: 'no frame folder' }[
        missing.join(',')
      ],
      [stem],
    ]);
    expect(dataset.dropped).toEqual(Object.fromEntries(reasons));
    expect(dataset.warnings).toEqual([]);
  });

  it.each(samples)('$stem: the frame, to the last bit of its 8-bit pixels', async (expected) => {
    const dataset = await open({ split: expected.split });
    const sample = await dataset.sample(expected.index, { modalities: ['video'] });
    expect([sample.id, sample.label]).toEqual([expected.stem, expected.label]);
    expect(dataset.shapes.video).toEqual([1, 224, 224, 3]);
    expect(worstDifference(channelsFirst(sample.inputs.video), expected.image, fixtures)).toBeLessThan(1e-5);
  });

  /** First bin of each band, and the end; below 7 kHz, to 8 kHz, above. */
  const BANDS = { A: [0, 163], B: [163, 187], C: [187, 257], all: [0, 257] } as const;
  const WIDTH = 188;
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

  it.each(samples)('$stem: the spectrogram, within the tolerance of each band', async (expected) => {
    const dataset = await open({ split: expected.split });
    const { inputs } = await dataset.sample(expected.index, { modalities: ['audio'] });
    const actual = inputs.audio;
    expect(dataset.shapes.audio).toEqual([257, WIDTH, 1]);
    expect(actual).toHaveLength(257 * WIDTH);
    const { spectrogram } = expected;
    const [file, indices] = spectrogram.file
      ? [spectrogram.file, Array.from(actual, (_, i) => i)]
      : [spectrogram.decimated?.file as string, decimatedIndices(257, WIDTH, [4, 8])];
    const stored = goldenFile(fixtures, file);
    expect(stored).toHaveLength(indices.length);
    const differences = indices.map((index, i) => ({
      bin: Math.floor(index / WIDTH),
      difference: Math.abs((actual[index] as number) - (stored[i] as number)),
    }));
    const of = (band: keyof typeof BANDS): number[] =>
      differences
        .filter(({ bin }) => bin >= BANDS[band][0] && bin < BANDS[band][1])
        .map(({ difference }) => difference)
        .sort((a, b) => a - b);
    const below = of('A');
    expect(mean(below)).toBeLessThan(0.005);
    expect(below[Math.floor(0.99 * below.length)]).toBeLessThan(0.05);
    expect(below.at(-1)).toBeLessThan(1.5);
    expect(mean(of('B'))).toBeLessThan(1.5);
    expect(mean(of('C'))).toBeLessThan(0.7);
    expect(mean(of('all'))).toBeLessThan(0.3);
    const near = spectrogram.positions.filter(
      ([index, value]) => index >= BANDS.A[1] * WIDTH || Math.abs((actual[index] as number) - value) <= 0.08,
    );
    expect(near.length).toBeGreaterThanOrEqual(19);
    for (const band of ['A', 'B', 'C'] as const) {
      const [first, end] = BANDS[band];
      const bandMean = mean(Array.from(actual.subarray(first * WIDTH, end * WIDTH)));
      const allowed = { A: 0.005, B: 1.5, C: 0.7 }[band];
      expect(Math.abs(bandMean - spectrogram.band_means[band])).toBeLessThan(allowed);
    }
  });

  it.each(golden.train_transform.cases)('$stem: crop $box, flip $flip', async (expected) => {
    const { box, flip } = expected;
    const { inputs } = await (
      await open()
    ).sample(expected.sample, {
      modalities: ['video'],
      random: () => cropStream({ width: 480, height: 360 }, box, flip),
    });
    expect(worstDifference(channelsFirst(inputs.video), expected.image, fixtures)).toBeLessThan(1e-5);
  });
});

/** Draws that make `randomResizedCrop` choose this box, then this flip. */
function cropStream(
  size: { readonly width: number; readonly height: number },
  box: Box,
  flip: boolean,
): RandomStream {
  const area = (box.width * box.height) / (size.width * size.height);
  const ratio = Math.log(box.width / box.height);
  const uniforms = [
    (area - 0.08) / 0.92,
    (ratio - Math.log(3 / 4)) / (Math.log(4 / 3) - Math.log(3 / 4)),
    flip ? 0.25 : 0.75,
  ];
  const integers = [box.top, box.left];
  const next = (values: number[]) => () => {
    const value = values.shift();
    if (value === undefined) throw new Error('more was drawn than expected');
    return value;
  };
  const never = (): never => {
    throw new Error('not drawn by a crop');
  };
  return {
    uniform: next(uniforms),
    integer: next(integers),
    normal: never,
    permutation: never,
    getState: never,
    setState: never,
  };
}

describe('damaged folders', () => {
  const cases = brokenCases(fixtures);
  const thatExpect = (expected: BrokenCase['expect']) =>
    cases.filter(({ expect: outcome }) => outcome === expected);
  const inCopy = async (ops: BrokenCase['ops'], use: (root: string) => Promise<void>): Promise<void> => {
    const copy = damagedCopy(fixtures, ops);
    try {
      await use(copy);
    } finally {
      rmSync(copy, { recursive: true });
    }
  };

  it.each(thatExpect('error'))('$id: refused, naming $mentions', ({ ops, mentions = [], ...damaged }) =>
    inCopy(ops, async (copy) => {
      const opened = open({ root: copy, split: (damaged.open ?? damaged.read)?.split ?? 'train' });
      const message = await refusal(
        damaged.read ? opened.then((dataset) => dataset.sample(damaged.read?.index ?? 0)) : opened,
      );
      for (const part of mentions) expect(message.toLowerCase()).toContain(part.toLowerCase());
    }),
  );

  it.each(thatExpect('drop'))('$id: left out and counted', ({ ops, kept, dropped, mentions }) =>
    inCopy(ops, async (copy) => {
      const dataset = await open({ root: copy });
      expect(dataset.size).toBe(kept);
      expect(Object.values(dataset.dropped).flat()).toHaveLength(dropped as number);
      expect(dataset.dropped['no frame (.jpg, .jpeg or .png) in the frame folder']).toEqual(mentions);
    }),
  );

  it.each(thatExpect('warning'))('$id: warns of $mentions', ({ ops, open: where, mentions = [] }) =>
    inCopy(ops, async (copy) => {
      const dataset = await open({ root: copy, split: where?.split ?? 'train' });
      expect(dataset.warnings).toHaveLength(1);
      for (const part of mentions) expect(dataset.warnings[0]).toContain(part);
    }),
  );

  it.each(thatExpect('same-as-good'))('$id: changes nothing', ({ ops }) =>
    inCopy(ops, async (copy) => {
      const dataset = await open({ root: copy });
      expect(dataset.ids).toEqual(golden.splits.train.stems);
      const { inputs } = await dataset.sample(0);
      expect(digest(inputs)).toEqual(digest((await (await open()).sample(0)).inputs));
    }),
  );

  it.each([
    ['without leading zeros', (n: number) => `${n}.jpg`],
    ['with another ending', (n: number) => `frame_${n}.JPEG`],
    ['as PNG', (n: number) => `${n}.png`],
  ])('frames %s come in the order of time', async (_, nameOf) => {
    const clip = '1001_DFA_ANG_XX';
    const copy = tree({});
    const frames = join(copy, 'Image-01-FPS', clip);
    rmSync(frames, { recursive: true });
    mkdirSync(frames);
    // Of five frames the fourth is taken; the picture is told from the others by its failure.
    const pictures = join(fixtures, '../../transforms/pillow/pictures');
    for (const n of [0, 29, 58, 116]) cpSync(join(pictures, 'baseline.jpg'), join(frames, nameOf(n)));
    writeFileSync(join(frames, nameOf(87)), 'the fourth');
    const dataset = await open({ root: copy });
    await expect(dataset.sample(dataset.ids.indexOf(clip))).rejects.toThrow(
      `${nameOf(87)}: is not a JPEG or PNG`,
    );
  });

  it('silence and a clip below a second have a spectrogram of full width', async () => {
    const audio: Record<string, Float32Array> = {};
    for (const { id, ops } of thatExpect('value')) {
      await inCopy(ops, async (copy) => {
        audio[id] = (await (await open({ root: copy })).sample(0, { modalities: ['audio'] })).inputs.audio;
      });
    }
    expect(Object.keys(audio)).toEqual(['wav-silent', 'wav-shorter-than-1-second']);
    expect(Object.values(audio).map(({ length }) => length)).toEqual([257 * 188, 257 * 188]);
    expect(audio['wav-silent']?.every((x) => Math.abs(x - Math.log(1e-7)) < 1e-6)).toBe(true);
    const row = Array.from((audio['wav-shorter-than-1-second'] as Float32Array).subarray(20 * 188, 21 * 188));
    // 0.75 s are 46.85 columns: without a fourth repetition the last 47 would be silent.
    expect(Math.min(...row.slice(150, 180))).toBeGreaterThan(-12);
  });

  it('a file that goes away after opening is named', async () => {
    const copy = tree({});
    const dataset = await open({ root: copy });
    rmSync(join(copy, 'AudioWAV/1001_DFA_ANG_XX.wav'));
    await expect(dataset.sample(0)).rejects.toThrow(FileFormatError);
    expect(await refusal(dataset.sample(0))).toMatch(/1001_DFA_ANG_XX\.wav: cannot be read \(ENOENT\)/);
    await expect(dataset.sample(0, { modalities: ['video'] })).resolves.toBeDefined();
  });

  it('the clip that was distributed under a wrong name is found', async () => {
    const copy = tree({ 'train.csv': '1040_ITH_SAD_XX,SAD\n' });
    cpSync(join(copy, 'AudioWAV/1001_DFA_SAD_XX.wav'), join(copy, 'AudioWAV/1040_ITH_SAD_X.wav'));
    cpSync(join(copy, 'Image-01-FPS/1001_DFA_SAD_XX'), join(copy, 'Image-01-FPS/1040_ITH_SAD_XX'), {
      recursive: true,
    });
    const dataset = await open({ root: copy });
    expect(dataset.ids).toEqual(['1040_ITH_SAD_XX']);
    expect((await dataset.sample(0)).inputs.audio).toHaveLength(257 * 188);
  });

  it.each([
    ['a path out of the folder', '../../secret,ANG\n', /line 1 names the clip "\.\.\/\.\.\/secret"/],
    [
      'a clip twice',
      '1001_DFA_ANG_XX,ANG\n1001_DFA_ANG_XX,ANG\n',
      /line 2 names 1001_DFA_ANG_XX a second time, after line 1/,
    ],
    ['nothing', '', /missing all clips that are listed for this split/],
  ])('a list with %s is refused', async (_, text, message) => {
    expect(await refusal(open({ root: tree({ 'train.csv': text }) }))).toMatch(message);
  });

  it('without files it says how to get them', async () => {
    expect(await refusal(open({ root: join(folder, 'none') }))).toMatch(
      /CREMA-D is not complete under .*AudioWAV and Image-01-FPS.*no sound and no frame folder for 6698 clips.*CheyneyComputerScience\/CREMA-D/,
    );
  });
});

describe('splits', () => {
  const ids = async (options: Omit<CremaDOptions, 'root'>): Promise<readonly string[]> =>
    (await cremaD({ root: whole, ...options })).ids;
  const SPLITS = ['train', 'validation', 'test'] as const;

  it('without lists in the folder the published ones are used', async () => {
    const train = await cremaD({ root: whole, split: 'train', official: true });
    const test = await cremaD({ root: whole, split: 'test', official: true });
    expect([train.size, test.size]).toEqual([6698, 744]);
    expect([train.ids[0], train.ids.at(-1), test.ids[0], test.ids.at(-1)]).toEqual([
      '1088_IOM_NEU_XX',
      '1001_IEO_DIS_MD',
      '1041_TIE_NEU_XX',
      '1014_TIE_HAP_XX',
    ]);
    const counts = async ({ size, sample }: typeof train): Promise<number[]> => {
      const labels = await Promise.all(
        Array.from({ length: size }, async (_, i) => (await sample(i, { modalities: [] })).label),
      );
      return Array.from({ length: 6 }, (_, label) => labels.filter((other) => other === label).length);
    };
    expect(await counts(train)).toEqual([973, 1148, 1131, 1138, 1142, 1166]);
    expect(await counts(test)).toEqual([114, 123, 140, 133, 129, 105]);
  });

  it('a tenth of the training list is validation, by the seed', async () => {
    const train = await ids({ split: 'train' });
    const validation = await ids({ split: 'validation' });
    expect([train.length, validation.length]).toEqual([6028, 670]);
    expect(await ids({ split: 'validation' })).toEqual(validation);
    expect(await ids({ split: 'validation', splits: { by: 'list', seed: 1 } })).not.toEqual(validation);
    const all = await ids({ split: 'train', official: true });
    expect(all.filter((id) => new Set(validation).has(id))).toEqual(validation);
    expect(new Set([...train, ...validation])).toEqual(new Set(all));
    expect(await ids({ split: 'test' })).toEqual(await ids({ split: 'test', official: true }));
  });

  it('by actor no actor is in two splits', async () => {
    const actors = await Promise.all(
      SPLITS.map(async (split) => {
        const part = await ids({ split, splits: { by: 'actor', seed: 3 } });
        return new Set(part.map((id) => id.slice(0, 4)));
      }),
    );
    const sizes = actors.map(({ size }) => size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(91);
    expect(new Set(actors.flatMap((part) => [...part])).size).toBe(91);
    expect(sizes.map((size) => size / 91)).toEqual([
      expect.closeTo(0.8, 1),
      expect.closeTo(0.1, 1),
      expect.closeTo(0.1, 1),
    ]);
  });

  it('by clip the splits are shares of all clips', async () => {
    const parts = { by: 'clip', fractions: { train: 0.5, validation: 0.25, test: 0.25 }, seed: 3 } as const;
    const divided = await Promise.all(SPLITS.map((split) => ids({ split, splits: parts })));
    expect(divided.map(({ length }) => length)).toEqual([3721, 1861, 1860]);
    expect(new Set(divided.flat()).size).toBe(7442);
  });

  it('lists are taken by path, also for validation', async () => {
    const lists = tree(
      { 'a.csv': `${stems[5]},NEU\n`, 'b.csv': `${stems[6]},SAD\n`, 'c.csv': `${stems[7]},ANG\n` },
      false,
    );
    const parts = {
      by: 'list',
      train: join(lists, 'a.csv'),
      test: join(lists, 'b.csv'),
      validation: join(lists, 'c.csv'),
    } as const;
    const divided = await Promise.all(SPLITS.map((split) => ids({ split, splits: parts })));
    expect(divided).toEqual([[stems[5]], [stems[7]], [stems[6]]]);
    expect(
      await ids({ split: 'validation', splits: { by: 'list', validation: join(lists, 'c.csv') } }),
    ).toEqual([stems[7]]);
  });

  it.each([
    [{ split: 'validation', official: true }, /no validation split/],
    [
      { split: 'train', official: true, splits: { by: 'actor' } },
      /`official` divides the clips as the released code does/,
    ],
    [{ split: 'train', official: true, splits: { by: 'list', validation: 0.1 } }, /`official`/],
    [{ split: 'train', splits: { by: 'list', validation: 1 } }, /`splits.validation` is 1/],
    [{ split: 'train', splits: { by: 'list', train: 'train.csv' } }, /gives one list/],
    [{ split: 'train', splits: { by: 'list', train: 'no.csv', test: 'no.csv' } }, /missing .*no\.csv/],
    [{ split: 'dev' as 'test' }, /`split` is "dev"/],
    [{ split: 'test', frames: 0 }, /`frames` is 0/],
    [{ split: 'test', framesPerSecond: 0.5 }, /`framesPerSecond` is 0.5/],
    [{ split: 'test', padding: 'wrap' as 'zeros' }, /`padding` is "wrap"/],
  ] satisfies [Omit<CremaDOptions, 'root'>, RegExp][])('%j is refused', async (options, message) => {
    expect(await refusal(cremaD({ root: whole, ...options }))).toMatch(message);
  });
});

describe('options', () => {
  it('takes several frames, leaving out clips that have fewer', async () => {
    const dataset = await open({ split: 'test', frames: 3 });
    expect(dataset.ids).toEqual(['1001_DFA_NEU_XX', '1001_DFA_SAD_XX']);
    expect(dataset.dropped).toEqual({ 'fewer than 3 frames': ['1001_DFA_HAP_XX'] });
    expect(dataset.shapes.video).toEqual([3, 224, 224, 3]);
    const { inputs } = await dataset.sample(0, { modalities: ['video'] });
    const single = await (await open({ split: 'test' })).sample(0, { modalities: ['video'] });
    // Of three frames the first one drawn is the one that is drawn alone.
    expect(digest({ video: inputs.video.subarray(0, 224 * 224 * 3) })).toEqual(digest(single.inputs));
    expect(inputs.video).toHaveLength(3 * 224 * 224 * 3);
  });

  it('reads another folder of frames', async () => {
    const copy = tree({});
    cpSync(join(copy, 'Image-01-FPS/1001_DFA_ANG_XX'), join(copy, 'Image-02-FPS/1001_DFA_ANG_XX'), {
      recursive: true,
    });
    expect((await open({ root: copy, framesPerSecond: 2 })).ids).toEqual(['1001_DFA_ANG_XX']);
  });

  it('mirrors the sound at its ends', async () => {
    const [zeros, reflect] = await Promise.all(
      (['zeros', 'reflect'] as const).map(
        async (padding) => (await (await open({ padding })).sample(0)).inputs.audio,
      ),
    );
    expect(reflect).not.toEqual(zeros);
    const inner = (audio: Float32Array | undefined) => audio?.subarray(5 * 188 + 2, 6 * 188 - 2);
    expect(inner(reflect)).toEqual(inner(zeros));
  });

  it('augments only the video, and only with a stream', async () => {
    const dataset = await open();
    expect(dataset.augmented).toEqual(['video']);
    const plain = digest((await dataset.sample(0)).inputs);
    expect(digest((await dataset.sample(0)).inputs)).toEqual(plain);
    const asked: string[] = [];
    const { inputs } = await dataset.sample(0, {
      random: (modality) => {
        asked.push(modality);
        return cropStream({ width: 480, height: 360 }, { top: 0, left: 0, width: 100, height: 100 }, false);
      },
    });
    expect(digest(inputs)).toEqual({ ...plain, video: expect.not.stringMatching(plain['video'] as string) });
    expect(asked).toContain('video');
  });

  it('there is no sample beyond the end', async () => {
    await expect((await open()).sample(3)).rejects.toThrow('There is no sample 3 in the train split of 3.');
  });
});

describe('in batches', () => {
  beforeAll(() => loadTensorFlow({ backend: 'tensorflow', quiet: true }));

  it('a worker gives what this thread gives', async () => {
    const dataset = await open();
    expect(await readEpoch(dataset, 1)).toEqual(await readEpoch(dataset, 0));
  });
});

describe('checkCremaD', () => {
  it('names what is missing and broken in a folder that is half there', async () => {
    const copy = tree({});
    writeFileSync(
      join(copy, 'AudioWAV/1001_DFA_ANG_XX.wav'),
      'version https://git-lfs.github.com/spec/v1\n'.repeat(3),
    );
    const frame = join(copy, 'Image-01-FPS/1001_DFA_DIS_XX/00029.jpg');
    writeFileSync(frame, readFileSync(frame).subarray(0, 2000));
    const progress: number[] = [];
    const check = await checkCremaD(copy, { onProgress: (done) => progress.push(done) });
    expect(check).toMatchObject({
      dataset: 'CREMA-D',
      folder: copy,
      expected: { train: 6698, test: 744, sounds: 7442, 'frame folders': 7442 },
      found: { train: 1, test: 3, sounds: 7, 'frame folders': 7 },
      asPublished: false,
    });
    expect(check.problems).toEqual([
      {
        reason: 'list that is not the published one',
        ids: ['train: 6 clips instead of 6698', 'test: 3 clips instead of 744'],
      },
      { reason: 'no frame folder', ids: ['1002_DFA_HAP_XX'] },
      { reason: 'no sound', ids: ['1003_IEO_SAD_HI'] },
      { reason: 'no sound and no frame folder', ids: ['1091_WSI_NEU_XX'] },
      { reason: 'Git LFS pointer, not the file itself', ids: [expect.stringMatching(/^1001_DFA_ANG_XX: /)] },
      { reason: 'broken file', ids: [expect.stringMatching(/^1001_DFA_DIS_XX: 00029\.jpg /)] },
    ]);
    expect(JSON.parse(JSON.stringify(check))).toEqual(check);
  });

  it('says of clips without frames what became of their sound and their video', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\n'.repeat(3);
    const copy = tree({
      'AudioWAV/1001_DFA_ANG_XX.wav': pointer,
      'AudioWAV/1001_DFA_DIS_XX.wav': '<html>Not found</html>'.repeat(3),
      'VideoFlash/1001_DFA_ANG_XX.flv': pointer,
      'VideoFlash/1001_DFA_DIS_XX.flv': 'FLV',
      'VideoFlash/1001_DFA_FEA_XX.flv': 'FLV',
    });
    for (const stem of ['1001_DFA_ANG_XX', '1001_DFA_DIS_XX']) {
      rmSync(join(copy, 'Image-01-FPS', stem), { recursive: true });
    }
    const { problems, found } = await checkCremaD(copy);
    expect(found).toMatchObject({ train: 1, sounds: 7, 'frame folders': 5 });
    expect(problems.slice(4)).toEqual([
      {
        reason: 'Git LFS pointer, not the file itself',
        ids: [
          expect.stringMatching(/^1001_DFA_ANG_XX: 1001_DFA_ANG_XX\.wav /),
          '1001_DFA_ANG_XX: 1001_DFA_ANG_XX.flv',
        ],
      },
      { reason: 'broken file', ids: [expect.stringMatching(/^1001_DFA_DIS_XX: 1001_DFA_DIS_XX\.wav /)] },
      {
        reason: 'video there, but its frames are not made yet (g2d data prepare)',
        ids: ['1001_DFA_DIS_XX'],
      },
    ]);
  });

  it('names both the sound and the frame of a clip that are broken', async () => {
    const copy = tree({ 'AudioWAV/1001_DFA_ANG_XX.wav': '<html>Not found</html>'.repeat(3) });
    writeFileSync(join(copy, 'Image-01-FPS/1001_DFA_ANG_XX/00029.jpg'), 'x');
    expect((await checkCremaD(copy)).problems.find(({ reason }) => reason === 'broken file')?.ids).toEqual([
      expect.stringMatching(/^1001_DFA_ANG_XX: 1001_DFA_ANG_XX\.wav /),
      expect.stringMatching(/^1001_DFA_ANG_XX: 00029\.jpg /),
    ]);
  });

  it('does not throw where there is nothing, or a list is damaged', async () => {
    const nothing = await checkCremaD(join(folder, 'none'));
    expect(nothing.found).toEqual({ train: 0, test: 0, sounds: 0, 'frame folders': 0 });
    const missing = nothing.problems.flatMap(({ ids }) => ids);
    expect(missing).toHaveLength(7442);
    expect(existsSync(join(folder, 'none'))).toBe(false);
    const damaged = await checkCremaD(tree({ 'test.csv': 'x,JOY\n' }));
    expect(damaged.asPublished).toBe(false);
    expect(damaged.problems[0]?.ids[0]).toMatch(/test\.csv line 1 has the emotion "JOY"/);
    // The clips are looked for all the same, by the published lists.
    expect(damaged.found.sounds).toBe(7);
  });

  it('puts up with what is broken in the published dataset itself', async () => {
    rmSync(join(whole, 'Image-01-FPS/1064_TIE_SAD_XX'));
    mkdirSync(join(whole, 'Image-01-FPS/1064_TIE_SAD_XX'));
    const check = await checkCremaD(whole);
    expect(check.problems).toEqual([
      { reason: 'broken in the published dataset itself', ids: ['1064_TIE_SAD_XX'] },
    ]);
    expect(check).toMatchObject({ found: { train: 6697, test: 744 }, asPublished: true });
  });
});
