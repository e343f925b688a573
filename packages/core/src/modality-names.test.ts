import { describe, expect, it } from 'vitest';
import { assertModalityNames } from './modality-names.js';

const refused = (names: readonly unknown[]): string => {
  try {
    assertModalityNames(names as string[], 'The model');
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('assertModalityNames', () => {
  it('takes what layers of TensorFlow.js and files can be called', () => {
    const names = ['audio', 'front-camera', 'front_camera', 'RGB', '3d', 'v1.5', 'x'.repeat(64)];
    expect(refused(names)).toBe('');
  });

  it.each([
    'front camera',
    'vidéo',
    'a:b',
    'a/b',
    '..',
    '-a',
    '_a',
    '',
    ' ',
    'a\n',
    '‮audio',
    '\u001b[2J',
    '7',
    'x'.repeat(65),
    'fused',
    'total',
    'head',
    'fusion',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    undefined,
    3,
  ])('refuses %j', (name) => {
    expect(refused(['audio', name])).toContain(
      `The model calls a modality ${JSON.stringify(name)}; a name is letters a to z, digits`,
    );
  });

  it('refuses none at all, and one that comes twice', () => {
    expect(refused([])).toBe('The model has no modality.');
    expect(refused(['a', 'b', 'a'])).toBe('The model names the modality "a" twice; leave one out.');
  });
});
