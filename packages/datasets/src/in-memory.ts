import { checkKeys, OptionError, perModality } from '@g2d/core';
import type { MultimodalDataset, Sample } from '@g2d/core';
import { descriptionOf } from './pipeline/description.js';
import { hasFreeLength, unitLength } from './pipeline/shapes.js';
import { assertSampleIndex } from './sample-index.js';

/**
 * Reads a dataset once and serves its samples from memory: for small sets, whose files would otherwise be read again
 * in every epoch. The original is closed; one that brings its own augmentation stays open until `close()`, since that starts
 * from the files again.
 *
 * @param dataset What to read.
 * @param options `maxBytes`: refuse datasets that need more memory than this. Default 1 GiB.
 * @throws {OptionError} If the samples need more than `maxBytes`. Nothing has been read then, unless a modality is of free
 * length: its bytes are known only while it is being read.
 */
export async function inMemory<M extends string>(
  dataset: MultimodalDataset<M>,
  options: { readonly maxBytes?: number } = {},
): Promise<MultimodalDataset<M>> {
  const { maxBytes = 2 ** 30 } = checkKeys(options, { maxBytes: true }, 'inMemory');
  const { name, split, size, modalities, shapes, augmented = [] } = dataset;
  const refuse = (bytes: number, who: string): OptionError =>
    new OptionError(
      `${who} ${name} (${split}) needs ${bytes} bytes in memory, more than \`maxBytes\` (${maxBytes}). Raise it, or use the ` +
        'dataset itself, which reads from its files.',
      { option: 'maxBytes', value: maxBytes, accepted: `at least ${bytes}` },
    );
  const fixed = modalities.filter((modality) => !hasFreeLength(shapes[modality]));
  const perSample = fixed.reduce((sum, modality) => sum + 4 * unitLength(shapes[modality]), 0);
  if (perSample * size > maxBytes) {
    throw refuse(perSample * size, fixed.length < modalities.length ? `${fixed.join(', ')} of` : 'All of');
  }

  const samples: Sample<M>[] = [];
  let bytes = 0;
  try {
    for (let i = 0; i < size; i++) {
      const sample = await dataset.sample(i);
      for (const modality of modalities) bytes += sample.inputs[modality].byteLength;
      if (bytes > maxBytes) throw refuse(bytes, `The part up to sample ${i} of`);
      samples.push(sample);
    }
  } catch (error) {
    await dataset.close();
    throw error;
  }
  if (augmented.length === 0) await dataset.close();

  return {
    // Without the source: workers would each read all of it again.
    ...descriptionOf(dataset),
    async sample(index, { modalities: wanted = modalities, random } = {}) {
      assertSampleIndex(index, { split, size: samples.length });
      const stored = samples[index] as Sample<M>;
      const drawn = random ? wanted.filter((modality) => augmented.includes(modality)) : [];
      const fresh =
        random && drawn.length > 0 && (await dataset.sample(index, { modalities: drawn, random }));
      return {
        ...stored,
        // What a sample lacks may be drawn anew too.
        ...(fresh && fresh.present && { present: fresh.present }),
        inputs: perModality(wanted, (modality) =>
          fresh && drawn.includes(modality) ? fresh.inputs[modality] : stored.inputs[modality].slice(),
        ),
      };
    },
    async close() {
      samples.length = 0;
      if (augmented.length > 0) await dataset.close();
    },
  };
}
