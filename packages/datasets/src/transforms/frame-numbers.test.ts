import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { frameFileName, frameNumbers } from './frame-numbers.js';

interface Video {
  readonly reported_fps: number;
  readonly frames: number;
  readonly per_second: number;
}
// Made with the released code's extraction; see test/fixtures/transforms/NOTICE.txt.
const golden = JSON.parse(
  readFileSync(
    new URL('../../../../test/fixtures/transforms/tables/frame_names.json', import.meta.url),
    'utf8',
  ),
) as {
  readonly cases: readonly (Video & { readonly names: readonly string[] })[];
  readonly must_be_refused: readonly Video[];
};

describe('frameNumbers', () => {
  it.each(golden.cases)(
    'keeps the reference frames of $frames at $reported_fps, $per_second a second',
    ({ reported_fps, frames, per_second, names }) => {
      expect(frameNumbers(reported_fps, frames, per_second).map(frameFileName)).toEqual(names);
    },
  );

  it.each([
    ...golden.must_be_refused,
    { reported_fps: Number.NaN, frames: 1, per_second: 1 },
    { reported_fps: -25, frames: 1, per_second: 1 },
    { reported_fps: Infinity, frames: 1, per_second: 1 },
  ])('refuses $per_second a second of $reported_fps', ({ reported_fps, frames, per_second }) => {
    expect(() => frameNumbers(reported_fps, frames, per_second)).toThrow(
      `The video states ${reported_fps} frames a second; ${per_second} a second cannot be taken`,
    );
  });

  it('refuses impossible counts', () => {
    expect(() => frameNumbers(25, -1, 1)).toThrow('`frameCount` is -1');
    expect(() => frameNumbers(25, 1, 0)).toThrow('`perSecond` is 0');
  });
});

describe('frameFileName', () => {
  it('has five digits, or more', () => {
    expect([frameFileName(0), frameFileName(123456)]).toEqual(['00000.jpg', '123456.jpg']);
  });
});
