import { G2DError, OptionError, shown } from '@g2d/core';

/** What stored outputs depend on besides the samples: of which teacher they are, and of which augmentation. */
export interface TeacherIdentity {
  /** Of the teacher's weights, from `teacherHash`. Where more decides on the outputs, such as the precision, add it to the text. */
  readonly teacherHash: string;
  /**
   * The seed of the augmentation that the samples went through, `null` for none. Outputs are those of the augmented input: a file
   * stands for one seed, and only for a training that replays it.
   */
  readonly augmentationSeed: string | number | null;
  /** What tells the samples' inputs from others, such as a fingerprint of the split. A file without it, or a reader, compares none. */
  readonly data?: string | undefined;
}

/** Whether stored outputs are those that are expected. */
export const isSameIdentity = (stored: TeacherIdentity, expected: TeacherIdentity): boolean =>
  stored.teacherHash === expected.teacherHash &&
  stored.augmentationSeed === expected.augmentationSeed &&
  !hasOtherData(stored, expected);

const hasOtherData = (stored: TeacherIdentity, expected: TeacherIdentity): boolean =>
  stored.data !== undefined && expected.data !== undefined && stored.data !== expected.data;

/** Stored outputs are of another teacher, of other augmentations or other data than asked for: compute them again. */
export class StaleTeacherOutputsError extends G2DError {
  constructor(details: {
    readonly file: string;
    readonly stored: TeacherIdentity;
    readonly expected: TeacherIdentity;
  }) {
    const { file, stored, expected } = details;
    const what =
      stored.teacherHash !== expected.teacherHash
        ? `of a teacher with hash ${stored.teacherHash}, but asked for is ${expected.teacherHash}`
        : hasOtherData(stored, expected)
          ? `of the data ${stored.data}, but asked for are those of ${expected.data}`
          : `of augmentation seed ${shown(stored.augmentationSeed)}, but asked for is ${shown(expected.augmentationSeed)}`;
    super(
      'G2D_STALE_TEACHER_OUTPUTS',
      `${file}: the stored outputs are ${what}. Delete the file and compute the outputs again, or load the teacher, the data and the seed that it was made with.`,
      details,
    );
  }
}

/** Throws unless an identity can be stored and compared. */
export function assertIdentity({ teacherHash, augmentationSeed, data }: TeacherIdentity): void {
  if (typeof teacherHash !== 'string' || teacherHash === '') {
    throw new OptionError(
      `\`teacherHash\` is ${shown(teacherHash)}; it must be a text that changes with the teacher's weights. Take \`teacherHash(model.state())\`.`,
      { option: 'teacherHash', value: teacherHash, accepted: 'a text that is not empty' },
    );
  }
  if (!isSeed(augmentationSeed)) {
    throw new OptionError(
      `\`augmentationSeed\` is ${String(augmentationSeed)}; it must be an integer, a text, or null for inputs without augmentation.`,
      { option: 'augmentationSeed', value: augmentationSeed, accepted: 'an integer, a text or null' },
    );
  }
  if (!isData(data)) {
    throw new OptionError(`\`data\` is ${shown(data)}; it must be a text, or left out.`, {
      option: 'data',
      value: data,
      accepted: 'a text',
    });
  }
}

export const isSeed = (value: unknown): value is TeacherIdentity['augmentationSeed'] =>
  value === null || typeof value === 'string' || Number.isSafeInteger(value);

export const isData = (value: unknown): value is TeacherIdentity['data'] =>
  value === undefined || typeof value === 'string';
