import { decodeImage } from '@g2d/formats/node';
import type { Preprocessing, RandomStream } from '@g2d/core';
import { normalizePixels } from '../transforms/normalize.js';
import { randomResizedCrop } from '../transforms/random-resized-crop.js';
import { resize } from '../transforms/resize.js';
import { readWholeFile } from './read-whole-file.js';

/** Height and width of a frame as an input. */
export const FRAME_SIDE = 224;

/** Mean and standard deviation of ImageNet's colours, by channel. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
/** What is done to the frames without `random`, for `preprocessing`. */
export const FRAMES: Preprocessing = {
  from: 'RGB frames with 8 bits a channel, resized bilinearly with antialiasing (as PIL does), their sides not kept in proportion',
  size: [FRAME_SIDE, FRAME_SIDE],
  divideBy: 255,
  ...IMAGENET,
};
/** A frame of 4K as PNG has some 25 MB. */
const LARGEST = 2 ** 26;

/**
 * Frames of a video as the released G2D code prepares them: `[T, 224, 224, 3]`, by channel (v / 255 − mean) / std of ImageNet.
 *
 * Without `random` each frame is resized as a whole, its sides not kept in proportion. With it each frame gets a crop of its own,
 * `randomResizedCrop`, and is flipped with probability ½; drawn frame after frame, in the order of `paths`.
 *
 * @param paths JPEG or PNG files, T of them.
 * @throws {FileFormatError} If one is no such picture, damaged or not there.
 */
export async function readFrames(paths: readonly string[], random?: RandomStream): Promise<Float32Array> {
  const pictures = await Promise.all(
    paths.map(async (path) => decodeImage(await readWholeFile(path, LARGEST), path)),
  );
  const length = FRAME_SIDE * FRAME_SIDE * 3;
  const video = new Float32Array(pictures.length * length);
  pictures.forEach((picture, t) => {
    const cut = random && {
      box: randomResizedCrop(picture, random),
      flip: random.uniform() < 0.5,
    };
    const pixels = resize(picture, { height: FRAME_SIDE, width: FRAME_SIDE, ...cut });
    video.set(normalizePixels(pixels, IMAGENET), t * length);
  });
  return video;
}
