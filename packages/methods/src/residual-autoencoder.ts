import { denseNetwork } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Autoencoders one after another, each on what the ones before have left of the features and added to them. */
export interface ResidualAutoencoder {
  readonly layers: readonly layers.Layer[];
  /** @returns The result `[B, width]`, and what all blocks say in their narrowest layers, side by side. */
  apply(x: tf.Tensor2D): { readonly output: tf.Tensor2D; readonly latents: tf.Tensor2D };
  /** @param path Begins the names of layers without weights. */
  symbolic(
    x: SymbolicTensor,
    path: string,
  ): { readonly output: SymbolicTensor; readonly latents: SymbolicTensor };
}

/**
 * The cascaded residual autoencoder of CRA and MMIN, as GCNet and MMIN released it.
 *
 * r_1 = x;  l_b = E_b(r_b),  o_b = D_b(l_b),  r_b+1 = r_b + o_b;  output T(r_n+1)
 *
 * Between the layers of E_b is a leaky ReLU, between those of the mirrored D_b a ReLU, behind the last of each nothing. T: two layers of the width of x
 * with a ReLU between them.
 *
 * @param name The layers are `<name>/encoder-0/0` and so on, `<name>/decoder-0/0`, `<name>/transition/0`.
 * @param options `units`: of the layers of E_b, for example `[256, 128]`.
 */
export function residualAutoencoder(
  name: string,
  {
    width,
    units,
    blocks,
    seed,
  }: {
    readonly width: number;
    readonly units: readonly number[];
    readonly blocks: number;
    readonly seed: number;
  },
): ResidualAutoencoder {
  const latent = units.at(-1) as number;
  const mirrored = [...units.slice(0, -1).toReversed(), width];
  const cascade = Array.from({ length: blocks }, (_, b) => ({
    encoder: denseNetwork(`${name}/encoder-${b}`, { width, units, activation: 'leaky-relu', seed }),
    decoder: denseNetwork(`${name}/decoder-${b}`, { width: latent, units: mirrored, seed }),
  }));
  const transition = denseNetwork(`${name}/transition`, { width, units: [width, width], seed });
  // None of these has dropout.
  const pass = { training: false };
  return {
    layers: [...cascade.flatMap(({ encoder, decoder }) => [encoder, decoder]), transition].flatMap(
      (network) => network.layers,
    ),
    apply(x) {
      let rest = x;
      const latents = cascade.map(({ encoder, decoder }) => {
        const said = encoder.apply(rest, pass);
        rest = tf.add(rest, decoder.apply(said, pass));
        return said;
      });
      return { output: transition.apply(rest, pass), latents: tf.concat(latents, 1) };
    },
    symbolic(x, path) {
      let rest = x;
      const latents = cascade.map(({ encoder, decoder }, b) => {
        const said = encoder.symbolic(rest);
        rest = layers
          .add({ name: `${path}/sum-${b}` })
          .apply([rest, decoder.symbolic(said)]) as SymbolicTensor;
        return said;
      });
      return {
        output: transition.symbolic(rest),
        latents:
          latents.length > 1
            ? (layers.concatenate({ name: `${path}/latents` }).apply(latents) as SymbolicTensor)
            : (latents[0] as SymbolicTensor),
      };
    },
  };
}
