// The files that a training needs, from where the page came from.
import { decodeSafetensors } from '@g2d/formats';
import { smallAvMnistFromParts } from '@g2d/datasets';
import type { Settings } from '../settings.js';
import { decodePack, partsOf } from './pack.js';
import type { Splits } from './student.js';
import type { TeacherWeights } from './teachers.js';

const SPLITS = ['train', 'validation', 'test'] as const;

/**
 * Loads the data, and makes them as noisy and as coarse as is wanted.
 *
 * @param base Address of the folder with the files.
 */
export async function loadData(
  base: string,
  { signalToNoise, imageComponents }: Pick<Settings, 'signalToNoise' | 'imageComponents'>,
): Promise<Splits> {
  const [train, validation, test] = await Promise.all(
    SPLITS.map(async (split) => {
      const name = `${split}.pack`;
      return decodePack(await gunzip(await fetchBytes(`${base}data/${name}`)), name);
    }),
  );
  return smallAvMnistFromParts({
    splits: { train: partsOf(train!), validation: partsOf(validation!), test: partsOf(test!) },
    componentsOf: train!.componentsOf,
    signalToNoise,
    imageComponents,
  });
}

export async function loadTeachers(base: string): Promise<TeacherWeights> {
  const path = `${base}data/teachers.safetensors`;
  return decodeSafetensors(await fetchBytes(path), path);
}

async function fetchBytes(address: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(address).catch(() => undefined);
  if (!response?.ok) {
    throw new Error(
      `${address} could not be loaded (${response ? response.status : 'no connection'}). Look at the connection and load the page again.`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** Unpacked, unless the server has done it. */
async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
