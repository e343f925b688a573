// A dataset of the user's own whose samples lie in a folder: `<folder>/<split>.json`.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromSamples, type OwnSample } from '@g2d/datasets';
import type { MultimodalDataset, Split } from '@g2d/core';

/** What a file has. */
export interface FolderSplit {
  classNames: string[];
  samples: (OwnSample<'loud' | 'quiet'> & { id: string; label: number })[];
}

export default function open({
  split,
  folder,
  byReading = false,
}: {
  readonly split: Split;
  readonly folder: string;
  /** Whether labels are known only once a sample is read. */
  readonly byReading?: boolean;
}): MultimodalDataset<'loud' | 'quiet'> | undefined {
  const path = join(folder, `${split}.json`);
  if (!existsSync(path)) return undefined;
  const { classNames, samples } = JSON.parse(readFileSync(path, 'utf8')) as FolderSplit;
  const whole = fromSamples({ name: 'folder', split, classNames, samples });
  if (!byReading) return whole;
  const { labels: _, ...rest } = whole;
  return rest;
}
