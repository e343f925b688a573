import { PCA } from 'ml-pca';
import { widthOf, type FeatureRows } from './feature-rows.js';

/**
 * Where rows lie in the plane in which they are spread the most: along their first two principal components.
 *
 * Each component is turned so that its largest coefficient is positive; either direction is as good, and none depends on the processor.
 *
 * @param rows `[N, D]` with N and D of at least 2.
 * @returns `points`: `[N, 2]`, relative to the mean of all rows. `share`: of the variance that the plane carries, in [0, 1]; NaN without any.
 */
export function principalPlane(rows: FeatureRows): {
  readonly points: readonly (readonly [number, number])[];
  readonly share: number;
} {
  widthOf(rows, 'rows');
  const table = rows.map((row) => Array.from(row));
  const pca = new PCA(table, { method: 'covarianceMatrix', center: true, scale: false });
  const [first = 1, second = 1] = pca.getLoadings().to2DArray().slice(0, 2).map(signOfLargest);
  const [a = 0, b = 0] = pca.getExplainedVariance();
  const points = pca
    .predict(table, { nComponents: 2 })
    .to2DArray()
    .map(([x = 0, y = 0]) => [first * x, second * y] as const);
  return { points, share: a + b };
}

const signOfLargest = (direction: readonly number[]): number =>
  Math.sign(direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)) || 1;
