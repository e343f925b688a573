import { describe, expect, it } from 'vitest';
import {
  checkFile,
  classDifference,
  recordedFactsSchema,
  splitDifferences,
  type SplitFingerprint,
} from './index.js';

const contentsOf = (sha256: Record<string, string>, count = 2) =>
  Object.fromEntries(Object.entries(sha256).map(([modality, sum]) => [modality, { count, sha256: sum }]));
const split = (changes: Partial<SplitFingerprint> = {}): SplitFingerprint => ({
  size: 2,
  classNames: ['a', 'b'],
  ids: 'i'.repeat(64),
  firstIds: ['x', 'y'],
  labels: { count: 2, sha256: 'l'.repeat(64) },
  contents: contentsOf({ audio: 'c'.repeat(64), video: 'v'.repeat(64) }),
  ...changes,
});
const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `c${from + i}`);
const contents = (sha256: Record<string, string>, count = 2) =>
  split({ contents: contentsOf(sha256, count) });

describe('splitDifferences', () => {
  it.each<[string, SplitFingerprint, unknown[]]>([
    ['nothing', split(), []],
    ['samples', split({ size: 3 }), [{ what: 'samples', before: '2', now: '3' }]],
    [
      'ids',
      split({ ids: 'j'.repeat(64), firstIds: ['x', 'z'] }),
      [
        {
          what: 'ids',
          before: '"x", "y" (sha256 iiiiiiiiiiii…)',
          now: '"x", "z" (sha256 jjjjjjjjjjjj…)',
        },
      ],
    ],
    [
      'labels',
      split({ labels: { count: 2, sha256: 'm'.repeat(64) } }),
      [{ what: 'labels', before: 'sha256 llllllllllll…', now: 'sha256 mmmmmmmmmmmm…' }],
    ],
    ['labels that were counted differently', split({ labels: { count: 1, sha256: 'm' } }), []],
    [
      'the contents of one modality',
      contents({ audio: 'c'.repeat(64), video: 'w'.repeat(64) }),
      [{ what: 'contents of video', before: 'sha256 vvvvvvvvvvvv…', now: 'sha256 wwwwwwwwwwww…' }],
    ],
    ['contents of a modality that only one has', contents({ audio: 'c'.repeat(64), text: 't' }), []],
    ['contents that were counted differently', contents({ audio: 'd', video: 'd' }, 1), []],
  ])('tells %s, with both sides', (_, now, expected) => {
    expect(splitDifferences(split(), now)).toEqual(expected);
  });

  it('says once that classes have another order, whose labels are others', () => {
    const now = split({ classNames: ['b', 'a'], labels: { count: 2, sha256: 'm' } });
    expect(splitDifferences(split(), now).map(({ what }) => what)).toEqual(['classes']);
  });
});

describe('classDifference', () => {
  it('shows long lists from the first class that differs on', () => {
    const now = names(20);
    now[11] = 'x';
    expect(classDifference(names(20), now)).toEqual({
      what: 'classes',
      before: 'from class 11 of 20 on "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", …',
      now: 'from class 11 of 20 on "x", "c12", "c13", "c14", "c15", "c16", "c17", "c18", …',
    });
    expect(classDifference(names(9), names(10))?.before).toBe('from class 8 of 9 on "c8"');
    expect(classDifference([], ['a'])).toEqual({ what: 'classes', before: 'none', now: '"a"' });
    expect(classDifference(names(20), names(20))).toBeUndefined();
  });
});

describe('identity in config.json', () => {
  const config = { kind: 'student', identity: { data: { train: split(), test: split() } } };
  const read = (value: unknown) => checkFile(recordedFactsSchema, value, { path: 'config.json' });

  it('is read, and its absence too', () => {
    expect(read(config).identity?.data.train).toEqual(split());
    expect(read({ kind: 'student' }).identity).toBeUndefined();
  });

  it('is refused with the key that is wrong', () => {
    const { size: _, ...rest } = split();
    expect(() => read({ ...config, identity: { data: { train: rest, test: split() } } })).toThrow(
      /config\.json: `identity`: `data`: `train`: `size` must be a number; it is missing\./,
    );
  });
});
