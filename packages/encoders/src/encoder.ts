/** What every encoder is built from. */
export interface EncoderOptions {
  /** The modality. Layers, and so variables, are named `<name>/…`. */
  readonly name: string;
  /** Shape of one sample, channels last: `[H, W, C]`. */
  readonly inputShape: readonly [number, number, number];
  /** Seed of the initial weights, an integer. */
  readonly seed: number;
}
