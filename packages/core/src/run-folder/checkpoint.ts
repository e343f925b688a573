import { z } from 'zod';

/** `format` in `state.json` of a checkpoint. */
export const CHECKPOINT_FORMAT = 'g2d-checkpoint';

/** `version` in `state.json` of what is written now. */
export const CHECKPOINT_VERSION = 1;

/** `state.json` of a checkpoint. The checksums make a file of another checkpoint, or a damaged one, known. */
export const stateFileSchema = z.looseObject({
  format: z.literal(CHECKPOINT_FORMAT),
  version: z.unknown(),
  /** SHA-256 in hexadecimal, of the two files and of `JSON.stringify(state)`. */
  sha256: z.looseObject({
    'model.safetensors': z.string(),
    'optimizer.safetensors': z.string(),
    state: z.string(),
  }),
  /** What the loop and the methods remember: theirs to read. */
  state: z.unknown().refine((state) => state !== undefined),
});

/** `state.json` of a checkpoint as it is written. */
export type StateFile = z.input<typeof stateFileSchema>;
