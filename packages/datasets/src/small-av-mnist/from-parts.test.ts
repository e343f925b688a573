import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { avMnist } from '../av-mnist.js';
import { buildSmallAvMnist } from './build.js';
import { smallAvMnistFromParts, type SmallAvMnistParts } from './from-parts.js';
import { smallAvMnistSound, type PairIndex } from './sound.js';
import { readSources, type Sources } from './sources.js';

const data = fileURLToPath(new URL('../../../../data', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** So many pairs of each split. */
const FEW = 12;

describe('smallAvMnistFromParts', () => {
  let sources: Sources;
  beforeAll(() => {
    sources = readSources(data);
  });

  const partsOf = (root: string) => {
    const pairs = JSON.parse(readFileSync(join(root, 'pairs.json'), 'utf8')) as PairIndex;
    const parts = (rows: PairIndex['train'], images: Uint8Array): SmallAvMnistParts[] =>
      rows.map(({ digit, image, recording, clip, offset }) => {
        const speech = sources.recordings.find(({ name }) => name === recording)!.samples;
        const noise = Object.values(sources.clips)
          .flat()
          .find(({ name }) => name === clip)!.samples;
        return {
          digit,
          picture: images.subarray(784 * image, 784 * (image + 1)),
          speech,
          noise: noise.subarray(offset, offset + speech.length),
        };
      });
    return {
      splits: {
        train: parts(pairs.train.slice(0, FEW), sources.trainDigits.images),
        validation: parts(pairs.train.slice(1000, 1000 + FEW), sources.trainDigits.images),
        test: parts(pairs.test.slice(0, FEW), sources.testDigits.images),
      },
      componentsOf: sources.trainDigits.images.subarray(0, 784 * 2000),
    };
  };

  it('gives the bits of the built set, as noisy and as coarse', async () => {
    const options = { imageComponents: 3, signalToNoise: 10 };
    const built = await buildSmallAvMnist({ sources: data, out: join(folder, 'set'), ...options });
    const made = smallAvMnistFromParts({ ...partsOf(built.root), ...options });
    for (const split of ['train', 'validation', 'test'] as const) {
      const read = await avMnist({ ...built, split });
      expect(made[split].ids).toEqual(read.ids.slice(0, FEW));
      for (let i = 0; i < FEW; i++) expect(await made[split].sample(i)).toEqual(await read.sample(i));
      const id = made[split].ids[1]!;
      const { samples } = await smallAvMnistSound({ sources: data, root: built.root, id });
      expect(made[split].sound(1)).toEqual(samples);
      await read.close();
    }
  });

  it('refuses degradations that leave nothing', () => {
    const parts = { splits: { test: [] }, componentsOf: new Uint8Array(0) };
    expect(() => smallAvMnistFromParts({ ...parts, imageComponents: 0 })).toThrow(
      '`imageComponents` is 0; it must be from 1 to 32.',
    );
    expect(() => smallAvMnistFromParts({ ...parts, signalToNoise: NaN })).toThrow(
      '`signalToNoise` is NaN; it must be from -40 to 40.',
    );
  });
});
