/** Shape of one sample of a modality, channels last, without the batch; `null` for an axis of free length. */
export type InputShape = readonly (number | null)[];

/** What every encoder is built from: a `LayersModel` from one sample's shape to features `[B, D]`. */
export interface EncoderOptions<Shape extends InputShape = InputShape> {
  /** The modality. Layers, and so variables, are named `<name>/…`. */
  readonly name: string;
  readonly inputShape: Shape;
  /** Of the initial weights, an integer. */
  readonly seed: number;
}
