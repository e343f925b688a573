import type { LayersModel } from '@tensorflow/tfjs-layers';
import { resnet18 } from '@g2d/encoders';
import type { InputRecipe, Modality } from './case.js';
import { sampleShape } from './inputs.js';

/** As many as a case with teachers uses at a time, and two more. Each has 45 MB. */
const MOST = 6;

/**
 * Encoders that one case after another uses: making the initial weights of a ResNet-18 takes longer than most cases run,
 * and every case overwrites all of them, running statistics included.
 */
export class EncoderPool {
  /** Those that nobody uses, the longest unused first. */
  readonly #free: LayersModel[] = [];

  /** An encoder with any weights. Give it back with `release`. */
  take(name: Modality, input: InputRecipe): LayersModel {
    const inputShape = sampleShape(input);
    const i = this.#free.findIndex(
      (encoder) => encoder.name === name && encoder.inputs[0]?.shape.slice(1).join() === inputShape.join(),
    );
    const [encoder] = i < 0 ? [] : this.#free.splice(i, 1);
    return encoder ?? resnet18({ name, inputShape, seed: 0 });
  }

  release(encoder: LayersModel): void {
    this.#free.push(encoder);
    if (this.#free.length > MOST) this.#free.shift()?.dispose();
  }

  dispose(): void {
    for (const encoder of this.#free.splice(0)) encoder.dispose();
  }
}
