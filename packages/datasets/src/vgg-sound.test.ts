import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTensorFlow } from '@g2d/native';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest, readEpoch, refusal } from '../test/clips.js';
import { brokenCases, damagedCopy, type BrokenCase } from '../test/damaged-copy.js';
import { channelsFirst, goldenFile, worstDifference, type GoldenArray } from '../test/golden-array.js';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { vggSound } from './vgg-sound.js';
import type { VggSoundOptions } from './vgg-sound/options.js';
import { checkVggSound } from './vgg-sound/check.js';

// A tree of VGGSound's layout and what the released Python loader of the paper makes of it; NOTICE.txt there names the licences.
const fixtures = fileURLToPath(new URL('../../../test/fixtures/datasets/vggsound', import.meta.url));
const root = join(fixtures, 'root');
const open = (options: Partial<VggSoundOptions> = {}) =>
  vggSound({ root, split: 'train', official: true, ...options });

interface GoldenSplit {
  readonly stems: readonly string[];
  readonly labels: readonly number[];
  readonly dropped: readonly { readonly stem: string; readonly reason: string }[];
  readonly samples: readonly {
    readonly index: number;
    readonly stem: string;
    readonly label: number;
    readonly class_name: string;
    readonly start: number;
    readonly spectrogram: GoldenArray;
    readonly image: GoldenArray;
    readonly image_u8?: GoldenArray;
  }[];
}
const golden = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly splits: Readonly<Record<'train' | 'test', GoldenSplit>>;
  readonly class_order_reference: readonly string[];
  readonly class_order_whole_csv: readonly string[];
  readonly class_order_sorted: readonly string[];
  readonly rows_with_unknown_split: readonly string[];
};
const samples = (['train', 'test'] as const).flatMap((split) =>
  golden.splits[split].samples.map((sample) => ({ split, ...sample })),
);

const folder = mkdtempSync(join(tmpdir(), 'g2d-vggsound-'));
afterAll(() => rmSync(folder, { recursive: true }));
let copies = 0;
function copyOf(files: Readonly<Record<string, string>> = {}): string {
  const copy = join(folder, String(copies++));
  cpSync(root, copy, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(copy, name), text);
  return copy;
}

describe('as the released loader', () => {
  it.each(['train', 'test'] as const)(
    '%s: the same clips, classes, labels, order and drops',
    async (split) => {
      for (const csv of ['vggsound.csv', 'vggsound_with_header.csv']) {
        const dataset = await open({ split, csv });
        const expected = golden.splits[split];
        expect(dataset.ids).toEqual(expected.stems);
        await expectKnownBeforeReading(dataset);
        expect(dataset.classNames).toEqual(golden.class_order_reference);
        const labels = await Promise.all(
          dataset.ids.map(async (_, i) => (await dataset.sample(i, { modalities: [] })).label),
        );
        expect(labels).toEqual(expected.labels);
        const reasons: Readonly<Record<string, string>> = {
          'only 3 frames': 'fewer than 4 frames',
          'no audio': 'no sound',
          'no frame folder': 'no frame folder',
        };
        expect(dataset.dropped).toEqual(
          Object.fromEntries(expected.dropped.map(({ stem, reason }) => [reasons[reason], [stem]])),
        );
      }
    },
  );

  it.each(samples)('$stem: three frames, to the last bit of their 8-bit pixels', async (expected) => {
    const dataset = await open({ split: expected.split });
    const { id, label, inputs } = await dataset.sample(expected.index, { modalities: ['video'] });
    expect([id, label, dataset.classNames[label as number]]).toEqual([
      expected.stem,
      expected.label,
      expected.class_name,
    ]);
    expect(dataset.shapes.video).toEqual([3, 224, 224, 3]);
    expect(worstDifference(channelsFirst(inputs.video), expected.image, fixtures)).toBeLessThan(1e-5);
  });

  it('every 8-bit pixel of two whole frames', async () => {
    const { index, image_u8: levels } = golden.splits.train.samples.find(({ image_u8 }) => image_u8) as {
      readonly index: number;
      readonly image_u8: GoldenArray;
    };
    const { inputs } = await (await open()).sample(index, { modalities: ['video'] });
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const expected = goldenFile(fixtures, levels.file as string);
    expect(expected).toHaveLength(2 * 224 * 224 * 3);
    const actual = inputs.video
      .subarray(0, expected.length)
      .map((value, i) => Math.round(255 * (value * (std[i % 3] as number) + (mean[i % 3] as number))));
    expect(digest({ actual })).toEqual(digest({ actual: expected }));
  });

  it.each(samples)('$stem: the spectrogram from sample $start on', async (expected) => {
    const dataset = await open({ split: expected.split, audioStart: expected.start });
    const { inputs } = await dataset.sample(expected.index, { modalities: ['audio'] });
    expect(dataset.shapes.audio).toEqual([129, 626, 1]);
    // 100 times below what is allowed.
    expect(worstDifference(inputs.audio, expected.spectrogram, fixtures)).toBeLessThan(2e-6);
  });
});

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
  const placeOf = ({ open: opened, read }: BrokenCase): Partial<VggSoundOptions> => ({
    split: (opened ?? read)?.split ?? 'train',
    ...(opened?.csv !== undefined && { csv: opened.csv }),
  });

  it.each(thatExpect('error'))('$id: refused, naming $mentions', (damaged) =>
    inCopy(damaged.ops, async (copy) => {
      const opened = open({ root: copy, ...placeOf(damaged) });
      const message = await refusal(
        damaged.read ? opened.then((dataset) => dataset.sample(damaged.read?.index ?? 0)) : opened,
      );
      for (const part of damaged.mentions ?? []) expect(message.toLowerCase()).toContain(part.toLowerCase());
    }),
  );

  it.each(thatExpect('drop'))('$id: left out and named', (damaged) =>
    inCopy(damaged.ops, async (copy) => {
      const dataset = await open({ root: copy, ...placeOf(damaged) });
      expect(dataset.size).toBe(damaged.kept);
      for (const id of damaged.mentions ?? []) {
        expect(dataset.ids).not.toContain(id);
        expect(Object.values(dataset.dropped).flat()).toContain(id);
      }
    }),
  );

  it.each(thatExpect('same-as-good'))('$id: changes nothing', (damaged) =>
    inCopy(damaged.ops, async (copy) => {
      const dataset = await open({ root: copy, ...placeOf(damaged) });
      expect(dataset.ids).toEqual(golden.splits.train.stems);
      const { label, inputs } = await dataset.sample(0);
      const good = await (await open()).sample(0);
      expect([label, digest(inputs)]).toEqual([good.label, digest(good.inputs)]);
    }),
  );

  it('sound of 8,000 Hz is resampled, not read as if it were of 16,000 Hz', () => {
    const [damaged, ...others] = thatExpect('value') as [BrokenCase];
    expect([damaged.id, others]).toEqual(['wav-8khz', []]);
    return inCopy(damaged.ops, async (copy) => {
      const dataset = await open({ root: copy });
      const { inputs } = await dataset.sample(0, { modalities: ['audio'] });
      const mean = (from: number, to: number): number =>
        inputs.audio.subarray(from * 626, to * 626).reduce((sum, x) => sum + x, 0) / ((to - from) * 626);
      // Above 4 kHz there is nothing but leakage; read wrongly, the mean were −9.4.
      expect(mean(70, 129)).toBeLessThan(-12);
    });
  });

  it.each([
    ['a path out of the folder', '../../etc,1,a,train\n', /line 1 has the YouTube id "\.\.\/\.\.\/etc"/],
    ['no label', 'id,1,,train\n', /line 1 has no label/],
    ['a negative start', 'a,1,x,train\nid,-1,a,train\n', /line 2 has the start second "-1"/],
    ['nothing but a header', 'youtube_id,time,label,split\n', /all clips that are listed for this split/],
  ])('a table with %s is refused', async (_, text, message) => {
    expect(await refusal(open({ root: copyOf({ 'vggsound.csv': text }) }))).toMatch(message);
  });

  it('without files it says how to get them', async () => {
    expect(await refusal(open({ root: folder }))).toMatch(
      /VGGSound is not complete under .*vggsound\.csv.*hche11\/VGGSound/,
    );
  });

  it('a clip that is listed twice or in train and test is reported', async () => {
    const table = readFileSync(join(root, 'vggsound.csv'), 'utf8');
    const again = table
      .split('\n')
      .filter((line) => /^(--0PQM4-hqg|k_loss-uvwx)/.test(line))
      .join('\n');
    const copy = copyOf({ 'vggsound.csv': `${table}${again}\nk_loss-uvwx,250,waterfall burbling,train\n` });
    const dataset = await open({ root: copy });
    expect(dataset.ids).toEqual(golden.splits.train.stems);
    expect(dataset.warnings).toEqual([expect.stringContaining('(1: k_loss-uvwx_000250)')]);
  });
});

describe('classes', () => {
  const classNames = async (options: Partial<VggSoundOptions>) => (await open(options)).classNames;

  it('do not depend on the files unless official', async () => {
    const sane = { official: false, validation: 0 } as const;
    expect(await classNames(sane)).toEqual(golden.class_order_sorted);
    expect(await classNames({ ...sane, classes: 'csv' })).toEqual(golden.class_order_whole_csv);
    expect(await classNames({ ...sane, classes: 'usable' })).toEqual(golden.class_order_reference);
    const copy = copyOf();
    rmSync(join(copy, 'audio/train/--0PQM4-hqg_000030.wav'));
    expect(await classNames({ ...sane, root: copy })).toEqual(golden.class_order_sorted);
    const official = await open({ root: copy });
    expect(official.classNames).toEqual(golden.class_order_reference.slice(1));
    expect(official.warnings).toEqual([
      'VGGSound: no usable training clip of some classes (1: waterfall burbling).',
    ]);
    expect(await refusal(open({ ...sane, root: copy, split: 'test' }))).toContain('"waterfall burbling"');
  });

  it('a list of labels gives the ids and leaves out the other clips', async () => {
    const classes = ['people marching', 'waterfall burbling'];
    const dataset = await open({ split: 'test', classes });
    expect(dataset.classNames).toEqual(classes);
    expect(dataset.ids).toEqual(golden.splits.test.stems.slice(0, 2));
    const labels = await Promise.all(
      [0, 1].map(async (i) => (await dataset.sample(i, { modalities: [] })).label),
    );
    expect(labels).toEqual([1, 0]);
    expect(dataset.dropped).toEqual({ 'label not among `classes`': ['test0000003_000060'] });
    expect(await refusal(open({ classes: ['a', 'a'] }))).toMatch(/`classes` lists 2 labels/);
  });
});

describe('splits and starts', () => {
  /** Twenty clips of ten videos. */
  function twenty(): string {
    const copy = copyOf();
    const lines: string[] = [];
    const stem = '--0PQM4-hqg_000030';
    for (let i = 0; i < 20; i++) {
      const id = `video_${String(Math.floor(i / 2)).padStart(5, '0')}`;
      const start = String(i % 2).padStart(6, '0');
      lines.push(`${id},${i % 2},people marching,train`);
      cpSync(join(copy, `audio/train/${stem}.wav`), join(copy, `audio/train/${id}_${start}.wav`));
      const frames = join(copy, 'video/frames/train/Image-01-FPS');
      cpSync(join(frames, stem), join(frames, `${id}_${start}`), { recursive: true });
    }
    writeFileSync(join(copy, 'vggsound.csv'), `${lines.join('\n')}\n-_-_-_-_-_-,9,people marching,test\n`);
    return copy;
  }

  it('a share of the training clips is validation, by the seed, no video in both', async () => {
    const copy = twenty();
    const ids = async (split: 'train' | 'validation', seed = 0) =>
      (await vggSound({ root: copy, split, validation: 0.2, seed })).ids;
    const [train, validation] = [await ids('train'), await ids('validation')];
    expect([train.length, validation.length]).toEqual([16, 4]);
    const videos = (part: readonly string[]) => new Set(part.map((id) => id.slice(0, 11)));
    expect(videos([...train, ...validation]).size).toBe(10);
    expect(videos(train).size + videos(validation).size).toBe(10);
    expect(await ids('validation', 1)).not.toEqual(validation);
    expect((await vggSound({ root: copy, split: 'validation' })).ids).toHaveLength(2);
  });

  it('the start is drawn from the id for tests and from the stream for training', async () => {
    const audio = async (options: Partial<VggSoundOptions>, seed?: number) =>
      digest(
        (
          await (
            await open(options)
          ).sample(0, {
            modalities: ['audio'],
            ...(seed !== undefined && { random: () => randomStream(seed) }),
          })
        ).inputs,
      );
    const drawn = randomStream(deriveSeed(0, 'crop/--0PQM4-hqg_000030')).integer(80_001);
    const test = await audio({});
    expect(await audio({ audioStart: drawn })).toEqual(test);
    expect(await audio({ seed: 1 })).not.toEqual(test);
    const trained = randomStream(4).integer(80_001);
    expect(await audio({}, 4)).toEqual(await audio({ audioStart: trained }));
    expect((await open()).augmented).toEqual(['audio', 'video']);
    expect((await open({ audioStart: 0 })).augmented).toEqual(['video']);
  });

  it.each([
    [{ split: 'validation' }, /no validation split/],
    [{ validation: 0.1 }, /`official` has no validation split/],
    [{ official: false, validation: 1 }, /`validation` is 1/],
    [{ classes: 'alphabetical' as 'sorted' }, /`classes` is "alphabetical"/],
    [{ audioStart: 80_001 }, /`audioStart` is 80001/],
    [{ frames: 1.5 }, /`frames` is 1.5/],
    [{ split: 'dev' as 'test' }, /`split` is "dev"/],
    [{ csv: 'no.csv' }, /missing .*no\.csv/],
    [{ framesPerSecond: 2 }, /no frame folder/],
  ] satisfies [Partial<VggSoundOptions>, RegExp][])('%j is refused', async (options, message) => {
    expect(await refusal(open(options))).toMatch(message);
  });

  it('leaves out clips with fewer frames than are taken', async () => {
    const dataset = await open({ frames: 5 });
    expect(dataset.dropped['fewer than 5 frames']).toEqual(['-0abcDEF_1-_000030', '-1xyz_AAAAA_000000']);
    expect((await dataset.sample(0, { modalities: ['video'] })).inputs.video).toHaveLength(5 * 224 * 224 * 3);
  });
});

describe('in batches', () => {
  beforeAll(() => loadTensorFlow({ backend: 'tensorflow', quiet: true }));

  it('a worker gives what this thread gives', async () => {
    const dataset = await open();
    expect(await readEpoch(dataset, 1)).toEqual(await readEpoch(dataset, 0));
  });
});

describe('checkVggSound', () => {
  it('names what is missing and broken in a folder that is half there', async () => {
    const copy = copyOf();
    const sound = join(copy, 'audio/train/--0PQM4-hqg_000030.wav');
    writeFileSync(sound, readFileSync(sound).subarray(0, 1001));
    const check = await checkVggSound(copy);
    expect(check).toMatchObject({
      dataset: 'VGGSound',
      expected: { train: 183_730, test: 15_446, classes: 309 },
      found: { train: 2, test: 3, classes: 2 },
      asPublished: false,
    });
    expect(check.problems).toEqual([
      {
        reason: 'in another split than train and test, or named twice',
        ids: golden.rows_with_unknown_split,
      },
      { reason: 'fewer than 4 frames', ids: ['-0abcDEF_1-_000030'] },
      { reason: 'no sound', ids: ['ZZZZZZZZZZZ_000007'] },
      { reason: 'no frame folder', ids: ['NoFramesHer_000011'] },
      {
        reason: 'broken file',
        ids: [expect.stringMatching(/^--0PQM4-hqg_000030: --0PQM4-hqg_000030\.wav truncated/)],
      },
      { reason: 'class in one split only', ids: ['waterfall burbling: no training clip'] },
    ]);
  });

  it('tells clips that are not made from their videos yet', async () => {
    const copy = copyOf({ 'video/NoFramesHer_000011.mp4': 'ftyp', 'video/abcdefghijk_123456.mp4': 'ftyp' });
    expect((await checkVggSound(copy)).problems).toContainEqual({
      reason: 'video there, but its frames are not made yet (g2d data prepare)',
      ids: ['NoFramesHer_000011'],
    });
  });

  it('does not throw where there is nothing, or the table is damaged', async () => {
    const nothing = await checkVggSound(folder);
    expect(nothing.found).toEqual({ train: 0, test: 0, classes: 0 });
    expect(nothing.problems[0]?.ids[0]).toMatch(/vggsound\.csv/);
    const damaged = await checkVggSound(copyOf({ 'vggsound.csv': 'a,b\n' }));
    expect(damaged.problems[0]?.ids).toEqual([expect.stringMatching(/^vggsound\.csv line 1 has 2 fields/)]);
    const empty = await checkVggSound(copyOf({ 'vggsound.csv': '' }));
    expect(empty.problems).toEqual([{ reason: 'table that cannot be used', ids: ['no line names a clip'] }]);
  });
});
