// Trains the teachers that the page loads, on WebAssembly, whose numbers are the same on every machine: `npm run playground:teachers`. Takes two minutes.
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '@g2d/formats';
import { writeFileAtomic } from '@g2d/formats/node';
import { loadTensorFlow } from '@g2d/native';
import { smallAvMnistFromParts } from '@g2d/datasets';
import { gunzipSync } from 'node:zlib';
import { MODALITIES } from '../src/training/names.js';
import { decodePack, partsOf } from '../src/training/pack.js';
import { trainTeacher } from '../src/training/teachers.js';
import { DATA, PACKED, packData } from './pack-data.js';

export const TEACHERS = join(DATA, 'teachers', 'small-av-mnist.safetensors');

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const check = process.argv.includes('--check');
await loadTensorFlow({ backend: 'wasm', quiet: true });
const files = await packData(DATA, PACKED);
const packs = {
  train: decodePack(gunzipSync(readFileSync(files.train)), files.train),
  validation: decodePack(gunzipSync(readFileSync(files.validation)), files.validation),
};
const data = smallAvMnistFromParts({
  splits: { train: partsOf(packs.train), validation: partsOf(packs.validation) },
  componentsOf: packs.train.componentsOf,
});
const weights = {};
for (const modality of MODALITIES) {
  console.error(`Training the ${modality} teacher …`);
  Object.assign(
    weights,
    await trainTeacher(modality, { data, seed: 0, epochs: 60, afterStep: async () => {} }),
  );
}
const bytes = encodeSafetensors(weights);
decodeSafetensors(bytes, TEACHERS);
if (check) {
  const same = hash(bytes) === hash(readFileSync(TEACHERS));
  console.log(
    same ? `${TEACHERS} is what this program makes.` : `${TEACHERS} is not what this program makes.`,
  );
  process.exitCode = same ? 0 : 1;
} else {
  writeFileAtomic(TEACHERS, bytes);
  writeFileAtomic(join(DATA, 'teachers', 'SHA256SUMS'), `${hash(bytes)}  small-av-mnist.safetensors\n`);
  console.log(`${hash(bytes)}  ${TEACHERS}`);
}
