import { z } from 'zod';

// Options that datasets of clips, each a sound and a folder of frames, have in common.

export const framesPerSecond = z
  .int()
  .min(1)
  .max(1000)
  .default(1)
  .describe("at how many frames a second the frames were extracted: the number in the folder's name");

export const padding = z
  .enum(['zeros', 'reflect'])
  .default('zeros')
  .describe("around the sound, for its spectrogram; librosa before 0.9 had 'reflect'");
