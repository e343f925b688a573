import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { writeFileAtomic, writeNpy, makeFolder } from '@g2d/formats/node';
import { checkKeys, OptionError, type Split } from '@g2d/core';
import { checkDegradation, DEGRADATION, type Degradation } from './degradation.js';
import { logPowerSpectrogram } from '../transforms/log-power-spectrogram.js';
import { mixNoise } from '../transforms/mix-noise.js';
import { principalComponents, projectOntoComponents } from '../transforms/principal-components.js';
import { drawPairs, type SmallAvMnistPair } from './pairs.js';
import { IMAGE_RANGES, SPLITS, RECIPE_VERSION, SPECTROGRAM, VALIDATION_ROWS, type Draw } from './recipe.js';
import { hashSources, readSources, type Sources } from './sources.js';
import type { PairIndex } from './sound.js';

/** Settings of `buildSmallAvMnist`. */
export interface BuildSmallAvMnistOptions {
  /** The repository's `data` folder: `fsdd.zip`, `esc10.zip` and `mnist/`. */
  readonly sources: string;
  /** Where the set goes. Made anew unless it already holds this very set; it must hold nothing else. */
  readonly out: string;
  /** Which pictures: `'second'` takes others, to confirm a result on data it was not found on. Default `'main'`. */
  readonly draw?: Draw;
  /** Fixes the pairing and the noise. Not the seed of a training. Default 0. */
  readonly drawSeed?: number;
  /** How many principal components of a picture are kept: fewer leave less to see. Default 8. */
  readonly imageComponents?: number;
  /** Decibels of the spoken digits over the noise: lower is louder noise. Default −5. */
  readonly signalToNoise?: number;
  /** Called after each piece of work with the part done, in [0, 1]. Not called if the set exists. */
  readonly onProgress?: (done: number) => void;
}

/** Where the set is and how to open it: `avMnist({ ...built, split: 'train' })`. */
export interface BuiltSmallAvMnist {
  readonly root: string;
  /** Rows at the end of the train files that are the validation split: 1,000. */
  readonly validationRows: number;
}

const RECIPE = 'recipe.json';
const PAIRS = 'pairs.json';
const FOLDER_ENTRIES = new Set([
  'image',
  'audio',
  'train_labels.npy',
  'test_labels.npy',
  PAIRS,
  RECIPE,
  'NOTICE.txt',
]);
const NOTICE = `Derived from MNIST (CC BY-SA 3.0, Y. LeCun, C. Cortes), the Free Spoken Digit Dataset (CC BY-SA 4.0,
Z. Jackson et al.) and CC0 clips of ESC-10 (compilation CC BY 3.0, K. J. Piczak): pictures reduced to principal
components, recordings mixed with noise and turned into spectrograms. Share alike: CC BY-SA 4.0.
`;
const HOUR = 3_600_000;

/**
 * Builds a small real AV-MNIST: 1,000 training, 1,000 validation and 2,000 test pairs of a handwritten and a spoken
 * digit, in the published set's layout, so that `avMnist` reads it.
 *
 * Picture `[28, 28]`: MNIST reduced to 8 principal components, the mean not added back. Sound `[56, 56]`: a spoken
 * digit (FSDD) in real noise (ESC-10) at −5 dB, as a spectrogram of 60 dB range. The noise of a pair never changes, so a
 * network can memorise it; recordings, noise clips and pictures are not shared between splits. It takes a few seconds.
 *
 * A set made from the same sources with the same options is reused. A build appears all at once by a rename, so
 * a half-written set is never seen, and several processes may build at the same time.
 *
 * @throws {DatasetNotFoundError} If a source file is missing.
 * @throws {OptionError} If `out` holds files that are not of such a set; they are left alone.
 * @example
 * const built = await buildSmallAvMnist({ sources: 'data', out: 'data/built/av-mnist-small' });
 * const train = await avMnist({ ...built, split: 'train' });
 */
export async function buildSmallAvMnist(options: BuildSmallAvMnistOptions): Promise<BuiltSmallAvMnist> {
  checkKeys(
    options,
    {
      sources: true,
      out: true,
      draw: true,
      drawSeed: true,
      imageComponents: true,
      signalToNoise: true,
      onProgress: true,
    },
    'buildSmallAvMnist',
  );
  const { sources: folder, out, draw = 'main', drawSeed = 0, onProgress } = options;
  const { imageComponents = DEGRADATION.imageComponents, signalToNoise = DEGRADATION.signalToNoise } =
    options;
  checkOptions(draw, drawSeed);
  checkDegradation({ imageComponents, signalToNoise });
  const target = resolve(out);
  const recipe = JSON.stringify({
    set: 'small-av-mnist',
    version: RECIPE_VERSION,
    draw,
    drawSeed,
    // A set of before these could be chosen has the defaults.
    ...(imageComponents !== DEGRADATION.imageComponents && { imageComponents }),
    ...(signalToNoise !== DEGRADATION.signalToNoise && { signalToNoise }),
    sources: hashSources(folder),
  });
  const built: BuiltSmallAvMnist = { root: out, validationRows: VALIDATION_ROWS };
  if (isComplete(target, recipe)) return built;
  checkReplaceable(target);

  const sources = readSources(folder);
  makeFolder(dirname(target));
  removeLeftovers(target);
  const temporary = beside(target, 'building');
  try {
    const files = writeSet(temporary, sources, {
      draw,
      drawSeed,
      imageComponents,
      signalToNoise,
      onProgress,
    });
    // Last: its presence says that the rest is there.
    writeFileAtomic(
      join(temporary, RECIPE),
      `${JSON.stringify({ recipe: JSON.parse(recipe), files }, null, 1)}\n`,
    );
    putInPlace(temporary, target, recipe);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return built;
}

function checkOptions(draw: Draw, drawSeed: number): void {
  if (!Object.hasOwn(IMAGE_RANGES, draw)) {
    throw new OptionError(`\`draw\` is "${String(draw)}"; it must be "main" or "second".`, {
      option: 'draw',
      value: draw,
      accepted: 'main, second',
    });
  }
  if (!Number.isSafeInteger(drawSeed)) {
    throw new OptionError(`\`drawSeed\` is ${drawSeed}; it must be a whole number.`, {
      option: 'drawSeed',
      value: drawSeed,
      accepted: 'an integer',
    });
  }
}

/** Writes all but the recipe. Returns each file's SHA-256. */
function writeSet(
  folder: string,
  sources: Sources,
  options: Degradation & {
    readonly draw: Draw;
    readonly drawSeed: number;
    readonly onProgress: ((done: number) => void) | undefined;
  },
): Readonly<Record<string, string>> {
  const { draw, imageComponents, onProgress = () => {} } = options;
  const pixels = 28 * 28;
  const fit = IMAGE_RANGES[draw].components;
  const components = principalComponents(
    sources.trainDigits.images.subarray(fit.start * pixels, (fit.start + fit.count) * pixels),
    pixels,
    imageComponents,
  );
  onProgress(0.1);
  const samplesOf = new Map(sources.recordings.map(({ name, samples }) => [name, samples]));
  const clipOf = new Map(
    SPLITS.flatMap((split) => sources.clips[split]).map(({ name, samples }) => [name, samples]),
  );
  const pairsOf = (split: Split) => drawPairs(split, sources, options);
  const pairs: PairIndex = { train: [...pairsOf('train'), ...pairsOf('validation')], test: pairsOf('test') };
  onProgress(0.2);

  let done = 0;
  for (const file of ['train', 'test'] as const) {
    const rows = pairs[file];
    const { images } = file === 'test' ? sources.testDigits : sources.trainDigits;
    const size = SPECTROGRAM.bins * SPECTROGRAM.frames;
    const image = new Float32Array(rows.length * pixels);
    const audio = new Uint8Array(rows.length * size);
    rows.forEach((pair: SmallAvMnistPair, row) => {
      const picture = images.subarray(pair.image * pixels, (pair.image + 1) * pixels);
      image.set(projectOntoComponents(picture, components), row * pixels);
      const speech = samplesOf.get(pair.recording) as Float32Array;
      const clip = clipOf.get(pair.clip) as Float32Array;
      const noise = clip.subarray(pair.offset, pair.offset + speech.length);
      audio.set(logPowerSpectrogram(mixNoise(speech, noise, pair.gain), SPECTROGRAM), row * size);
      done++;
      if (done % 100 === 0) onProgress(0.2 + (0.8 * done) / (pairs.train.length + pairs.test.length));
    });
    writeNpy(join(folder, `image/${file}_data.npy`), image, [rows.length, pixels]);
    writeNpy(join(folder, `audio/${file}_data.npy`), audio, [
      rows.length,
      SPECTROGRAM.bins,
      SPECTROGRAM.frames,
    ]);
    const labels = Uint8Array.from(rows, ({ digit }) => digit);
    writeNpy(join(folder, `${file}_labels.npy`), labels, [rows.length]);
  }
  writeFileAtomic(join(folder, PAIRS), JSON.stringify(pairs));
  writeFileAtomic(join(folder, 'NOTICE.txt'), NOTICE);
  return Object.fromEntries(filesUnder(folder).map((name) => [name, hashFile(join(folder, name))]));
}

function filesUnder(folder: string): string[] {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesUnder(join(folder, entry.name)).map((name) => `${entry.name}/${name}`)
      : [entry.name],
  );
  return names.sort();
}

function hashFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Whether a folder holds the set of this recipe, every file as it was written. */
function isComplete(folder: string, recipe: string): boolean {
  try {
    const found = JSON.parse(readFileSync(join(folder, RECIPE), 'utf8')) as {
      readonly recipe: unknown;
      readonly files: Readonly<Record<string, string>>;
    };
    return (
      JSON.stringify(found.recipe) === recipe &&
      Object.entries(found.files).every(([name, hash]) => hashFile(join(folder, name)) === hash)
    );
  } catch {
    // No recipe, not JSON, a file gone: not complete, whatever the reason.
    return false;
  }
}

/** Refuses to replace a folder that holds anything else: it may be somebody's data. */
function checkReplaceable(target: string): void {
  if (!existsSync(target)) return;
  const foreign = statSync(target).isDirectory()
    ? readdirSync(target).filter((name) => !FOLDER_ENTRIES.has(name))
    : [basename(target)];
  if (foreign.length > 0) {
    throw new OptionError(
      `\`out\` (${target}) holds files that are not of a small AV-MNIST: ${foreign.slice(0, 5).join(', ')}. Give a folder ` +
        'of its own; it would be replaced.',
      {
        option: 'out',
        value: target,
        accepted: 'a folder that does not exist, is empty or holds an older build',
      },
    );
  }
}

function beside(target: string, purpose: 'building' | 'replaced'): string {
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  return join(dirname(target), `.${basename(target)}.${purpose}-${unique}`);
}

/** Folders of builds that were killed. An hour is far more than a build takes. */
function removeLeftovers(target: string): void {
  const prefixes = [`.${basename(target)}.building-`, `.${basename(target)}.replaced-`];
  for (const name of readdirSync(dirname(target))) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const path = join(dirname(target), name);
    // Another process may remove it at the same time.
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - changed > HOUR) rmSync(path, { recursive: true, force: true });
  }
}

/** Renames the finished build to its place, or uses the one that another process has put there meanwhile. */
function putInPlace(temporary: string, target: string, recipe: string): void {
  for (;;) {
    try {
      renameSync(temporary, target);
      return;
    } catch (error) {
      // A folder that is not empty is in the way (EPERM on Windows).
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!existsSync(target) || !['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(code)) throw error;
    }
    if (isComplete(target, recipe)) return;
    const replaced = beside(target, 'replaced');
    try {
      renameSync(target, replaced);
    } catch (error) {
      // Another process was first; look again.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    try {
      // Between the look and the rename another process may have put a complete set there: give it back.
      if (isComplete(replaced, recipe)) renameSync(replaced, target);
    } catch {
      // Its place has been taken again; the next round looks at what is there.
    }
    rmSync(replaced, { recursive: true, force: true });
  }
}
