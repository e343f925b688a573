import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow, runtimeInfo } from '@g2d/native';
import { bfloat16Problem } from '@g2d/accelerate';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { settlePrecision, usablePrecision } from './precision.js';
import { parseConfig } from './read-config.js';

const config = (precision: string, teacherPrecision = 'float32') =>
  parseConfig(toyConfig({ precision, teacherPrecision }));

function settle(
  ...[wanted, options = {}]: [
    ReturnType<typeof config>,
    { begun?: ReturnType<typeof config>; trains?: boolean }?,
  ]
) {
  const { begun, trains = true } = options;
  const { config: settled, notes } = settlePrecision(wanted, { begun, trains });
  return { settled: [settled.precision, settled.teacherPrecision], notes };
}

describe('on a backend without bfloat16', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'cpu', quiet: true });
  });

  it('a demand is refused before the first step, with what is here and what to do', () => {
    expect(() => settle(config('bfloat16'))).toThrow(
      /^"precision" is "bfloat16", but the backend is cpu, and only tensorflow has bfloat16 \(here: .+, .+\)\. Set it to "float32", or to "auto"/,
    );
    expect(() => settle(config('float32', 'bfloat16'))).toThrow(/^"teacherPrecision" is "bfloat16", but/);
  });

  it('a wish becomes float32, with a note', () => {
    const { settled, notes } = settle(config('auto', 'auto'));
    expect(settled).toEqual(['float32', 'float32']);
    expect(notes).toEqual([
      expect.stringMatching(/^"precision" is "auto", which is float32 here: the backend is cpu/),
      expect.stringMatching(/^"teacherPrecision" is "auto"/),
    ]);
  });

  it('a run goes on with what it began with, and a finished one demands nothing', () => {
    expect(settle(config('auto'), { begun: config('float32') })).toEqual({
      settled: ['float32', 'float32'],
      notes: [],
    });
    expect(() => settle(config('auto'), { begun: config('bfloat16') })).toThrow(/"precision" is "bfloat16"/);
    expect(settle(config('auto'), { begun: config('bfloat16'), trains: false }).settled[0]).toBe('bfloat16');
    // To evaluate or to teach, rounding need not be repeated.
    expect(usablePrecision('bfloat16')).toBe('float32');
  });
});

describe('on TensorFlow', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  });

  it('a wish becomes bfloat16 where it can be had and is fast, and is settled for good', () => {
    const fast = bfloat16Problem() === null && runtimeInfo()!.processor.bfloat16;
    const { settled, notes } = settle(config('auto'));
    expect(settled).toEqual([fast ? 'bfloat16' : 'float32', 'float32']);
    const start = '"precision" is "auto", which is float32 here: ';
    expect(notes.map((note) => note.startsWith(start))).toEqual(fast ? [] : [true]);
    expect(tf.getBackend()).toBe('tensorflow');
  });
});
