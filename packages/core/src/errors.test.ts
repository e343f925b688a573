import { describe, expect, it } from 'vitest';
import {
  DatasetNotFoundError,
  FileFormatError,
  G2DError,
  OptionError,
  ShapeError,
  UnknownModalityError,
} from './errors.js';

describe('G2DError', () => {
  it('is recognized by a marker, also when it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('@g2d/error')]: true });
    expect(G2DError.isInstance(foreign)).toBe(true);
    expect(G2DError.isInstance(new OptionError('x', { option: 'a', value: 1, accepted: '2' }))).toBe(true);
    expect(G2DError.isInstance(new Error('x'))).toBe(false);
    expect(G2DError.isInstance(null)).toBe(false);
  });

  it('says what was wrong and what was expected, and keeps the facts', () => {
    const shape = new ShapeError({ argument: 'logits', expected: '[B, C]', actual: [3] });
    expect(shape.message).toBe('`logits` has shape [3]; expected [B, C].');
    expect(shape).toMatchObject({ name: 'ShapeError', code: 'G2D_SHAPE', details: { argument: 'logits' } });
    expect(
      new UnknownModalityError({ modality: 'vidoe', known: ['audio', 'video'], where: 'The model' }).message,
    ).toBe('The model has no modality "vidoe". Known modalities: audio, video.');
    expect(
      new DatasetNotFoundError({ dataset: 'X', root: 'r', missing: ['a', 'b'], howToGet: 'Ask.' }).message,
    ).toBe('X is not complete under r: missing a, b. Ask.');
    expect(new FileFormatError('f.npy', 'truncated').message).toBe('f.npy: truncated');
  });
});
