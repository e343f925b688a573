import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import type { Label, MultimodalDataset } from '@g2d/core';

/** What a dataset says of its samples without reading them is what they say: labels by index, and files that are there. */
export async function expectKnownBeforeReading(dataset: MultimodalDataset<string>): Promise<void> {
  const read: Label[] = [];
  for (let i = 0; i < dataset.size; i++) {
    read.push((await dataset.sample(i, { modalities: [] })).label);
    for (const modality of dataset.modalities) {
      const files = dataset.files?.(i, modality) ?? [];
      expect(files.length, modality).toBeGreaterThan(0);
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
    }
  }
  expect(Array.from(dataset.labels ?? [])).toEqual(read);
}
