import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readIdx } from '@g2d/formats/node';
import { randomStream } from '@g2d/tensor-ops';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { principalComponents, projectOntoComponents } from './principal-components.js';

const WIDTH = 24;
const random = randomStream(11);
// Pixels with their own spreads, correlated with their left neighbour.
const pictures = Uint8Array.from({ length: 300 * WIDTH }, (_, k) => (k % WIDTH) + 1).map((spread, k, all) =>
  Math.min(255, random.integer(8 * spread) + (k % WIDTH > 0 ? (all[k - 1] as number) : 0)),
);

function covariance(): Matrix {
  const rows = Matrix.from1DArray(300, WIDTH, pictures);
  rows.subRowVector(rows.mean('column'));
  return rows.transpose().mmul(rows).div(299);
}

describe('principalComponents', () => {
  const found = principalComponents(pictures, WIDTH, 5);

  it('finds the variances of a full eigendecomposition', () => {
    const exact = new EigenvalueDecomposition(covariance(), { assumeSymmetric: true }).realEigenvalues
      .slice()
      .sort((a, b) => b - a);
    found.variances.forEach((variance, k) => {
      expect(Math.abs(variance / (exact[k] as number) - 1)).toBeLessThan(1e-10);
    });
    expect(found.totalVariance).toBeCloseTo(
      exact.reduce((sum, value) => sum + value, 0),
      6,
    );
  });

  it('finds orthonormal eigenvectors', () => {
    const components = new Matrix(found.components as unknown as number[][]);
    const gram = components.mmul(components.transpose());
    expect(gram.sub(Matrix.eye(5)).norm()).toBeLessThan(1e-12);
    const image = components.mmul(covariance());
    const expected = components.clone().mulColumnVector(Array.from(found.variances));
    expect(image.sub(expected).norm()).toBeLessThan(1e-8 * (found.variances[0] as number));
  });

  it('agrees with numpy on MNIST', () => {
    // golden/small_av_mnist.py: all 784 eigenvalues of the covariance of the first 2,000 pictures
    const golden = JSON.parse(
      readFileSync(new URL('../../golden/small-av-mnist.json', import.meta.url), 'utf8'),
    ) as { readonly variances: readonly number[]; readonly share: number };
    const file = new URL('../../../../data/mnist/train20k-images-idx3-ubyte.gz', import.meta.url);
    const { data } = readIdx(fileURLToPath(file));
    const { variances, totalVariance } = principalComponents(data.subarray(0, 2000 * 784), 784, 8);
    golden.variances.forEach((variance, k) => {
      expect(Math.abs((variances[k] as number) / variance - 1)).toBeLessThan(1e-9);
    });
    const share = variances.reduce((sum, variance) => sum + variance, 0) / totalVariance;
    expect(share).toBeCloseTo(golden.share, 9);
  });

  it('is deterministic', () => {
    expect(principalComponents(pictures, WIDTH, 5)).toEqual(found);
  });
});

describe('projectOntoComponents', () => {
  it('keeps what lies along the components and leaves the mean out', () => {
    const basis = {
      mean: Float64Array.of(10, 20, 30),
      components: [Float64Array.of(1, 0, 0), Float64Array.of(0, 0.6, 0.8)],
      variances: [2, 1],
      totalVariance: 4,
    };
    // x − mean = (1, 5, 10): along 1 and 0.6 · 5 + 0.8 · 10 = 11
    const projected = projectOntoComponents(Uint8Array.of(11, 25, 40), basis);
    [1, 6.6, 8.8].forEach((value, i) => expect(projected[i]).toBeCloseTo(value, 12));
  });
});
