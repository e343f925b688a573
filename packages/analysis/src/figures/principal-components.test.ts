import { describe, expect, it } from 'vitest';
import { principalPlane } from './principal-components.js';

// numpy 2.4: eigenvectors of the covariance (numpy.linalg.eigh), each times the sign of its largest coefficient.
// prettier-ignore
const rows = [
  [1.232, -3.337, -1.281, 4.058], [0.127, 0.123, 2.553, 1.375], [1.384, -2.519, 1.74, 2.638],
  [0.408, -0.53, 1.583, 2.08], [-0.763, -2.856, -1.272, 4.435], [-0.862, -1.14, 0.48, 2.711],
  [-2.1, 0.943, -2.436, 3.314], [-0.759, -0.624, -1.79, 3.404], [2.902, -6.174, 1.858, 4.143],
];
// prettier-ignore
const expected = [
  [-1.242203435, -2.080466472], [0.692719071, 3.462248283], [-1.752452731, 1.274379472],
  [0.364851887, 2.137632606], [0.128158539, -2.260068903], [0.951200677, 0.610873982],
  [4.239435459, -1.194018879], [2.100054037, -1.246591184], [-5.481763505, -0.703988905],
];

describe('principalPlane', () => {
  it('is that of numpy’s eigenvectors of the covariance', () => {
    const { points, share } = principalPlane(rows);
    points.forEach((point, i) =>
      point.forEach((value, axis) => expect(value).toBeCloseTo(expected[i]![axis]!, 8)),
    );
    expect(share).toBeCloseTo(0.9781722116512124, 10);
  });

  it('does not depend on where the rows lie', () => {
    const moved = principalPlane(rows.map((row) => row.map((value, d) => value + 10 * d))).points;
    moved.forEach(([x, y], i) => {
      expect(x).toBeCloseTo(expected[i]![0]!, 8);
      expect(y).toBeCloseTo(expected[i]![1]!, 8);
    });
  });

  it('refuses rows of different widths, and numbers that are none', () => {
    expect(() => principalPlane([[1, 2], [1]])).toThrow('`rows[1]` has shape [1]; expected [2]'); // prettier-ignore
    expect(() => principalPlane([[1, NaN], [1, 2]])).toThrow('`rows[0]` holds NaN'); // prettier-ignore
  });
});
