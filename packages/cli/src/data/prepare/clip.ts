/** One video and what is to be made of it. Absolute paths. */
export interface Clip {
  readonly id: string;
  readonly video: string;
  /** The folder that its frames go to. */
  readonly frames: string;
  /** The file that its sound goes to. */
  readonly sound: string;
}

/** The videos of a dataset, and those of its samples that have none. */
export interface ClipList {
  readonly clips: readonly Clip[];
  readonly withoutVideo: readonly string[];
}

/** The released code's name of the folder with so many frames a second. */
export const frameFolder = (perSecond: number): string => `Image-${String(perSecond).padStart(2, '0')}-FPS`;
