import { encodeWav } from '@g2d/formats/node';

/** The sound as a `data:` address. */
export function wavUri(samples: Float32Array, sampleRate: number): string {
  return `data:audio/wav;base64,${encodeWav(samples, sampleRate).toString('base64')}`;
}
