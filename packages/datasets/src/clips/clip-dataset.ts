import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { DatasetNotFoundError, type RandomStream } from '@g2d/core';
import type { DatasetSource, MultimodalDataset, Preprocessing, Split } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import type { ClipFiles, FoundClips, UsableClip } from './find-clips.js';
import { FRAME_SIDE, FRAMES, readFrames } from './read-frames.js';

/** Clips of sound and frames, with what was left out when they were looked for. */
export interface ClipDataset extends MultimodalDataset<'audio' | 'video'> {
  /** Reason → ids of the listed clips that are not in `ids`, since their files are not complete. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
  /** What is odd about the lists; each is a warning of the process too. */
  readonly warnings: readonly string[];
}

export interface LabelledClip extends ClipFiles {
  readonly label: number;
}

interface ClipDatasetOptions {
  readonly name: string;
  readonly split: Split;
  readonly classNames: readonly string[];
  readonly clips: FoundClips<LabelledClip>;
  readonly warnings: readonly string[];
  readonly source: DatasetSource;
  /** How many frames each clip has. */
  readonly frames: number;
  readonly audio: {
    readonly shape: readonly number[];
    readonly augmented: boolean;
    readonly preprocessing: Preprocessing;
    /** @param random Present for training. */
    read(clip: LabelledClip, random: RandomStream | undefined): Promise<Float32Array>;
  };
}

const MODALITIES = ['audio', 'video'] as const;

/** A dataset of the clips that were found. */
export function clipDataset({
  name,
  split,
  classNames,
  clips: { usable, dropped },
  warnings,
  source,
  frames,
  audio,
}: ClipDatasetOptions): ClipDataset {
  // Once, not once more for every worker.
  if (isMainThread) for (const warning of warnings) process.emitWarning(warning, { code: 'G2D_DATASET' });
  const size = usable.length;
  return {
    name,
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: { audio: audio.shape, video: [frames, FRAME_SIDE, FRAME_SIDE, 3] },
    classNames,
    ids: usable.map(({ id }) => id),
    labels: usable.map(({ label }) => label),
    size,
    preprocessing: { audio: audio.preprocessing, video: FRAMES },
    augmented: audio.augmented ? MODALITIES : ['video'],
    dropped,
    warnings,
    source,
    async sample(index, { modalities = MODALITIES, random } = {}) {
      assertSampleIndex(index, { split, size });
      const clip = usable[index] as UsableClip<LabelledClip>;
      const readers = {
        audio: () => audio.read(clip, random?.('audio')),
        video: () => readFrames(framesOf(clip), random?.('video')),
      };
      const inputs = await Promise.all(
        modalities.map(async (modality) => [modality, await readers[modality]()] as const),
      );
      return {
        id: clip.id,
        label: clip.label,
        inputs: Object.fromEntries(inputs) as Record<'audio' | 'video', Float32Array>,
      };
    },
    files(index, modality) {
      const clip = usable[index];
      if (!clip) return [];
      return modality === 'audio' ? [clip.sound] : framesOf(clip);
    },
    close() {},
  };
}

const framesOf = ({ frameFolder, frames }: UsableClip<ClipFiles>): readonly string[] =>
  frames.map((frame) => join(frameFolder, frame));

/** How many ids a message names. */
const SHOWN = 3;

/** The first of them, for a message. */
export const firstOf = (ids: readonly string[]): string =>
  `${ids.slice(0, SHOWN).join(', ')}${ids.length > SHOWN ? ', …' : ''}`;

/**
 * @param where The folders in which the clips were looked for.
 * @throws {DatasetNotFoundError} If no clip can be used.
 */
export function assertSomeClips(
  { usable, dropped }: FoundClips<ClipFiles>,
  about: {
    readonly dataset: string;
    readonly root: string;
    readonly where: readonly string[];
    readonly howToGet: string;
  },
): void {
  if (usable.length > 0) return;
  const reasons = Object.entries(dropped).map(
    ([reason, ids]) => `${reason} for ${ids.length} clips (${firstOf(ids)})`,
  );
  const { dataset, root, where, howToGet } = about;
  const clips = `all clips that are listed for this split, looked for in ${where.join(' and ')}`;
  throw new DatasetNotFoundError({ dataset, root, missing: [clips, ...reasons], howToGet });
}
