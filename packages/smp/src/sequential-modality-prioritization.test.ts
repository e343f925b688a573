import * as tf from '@tensorflow/tfjs';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { SGD } from '@g2d/tensor-ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { modalityConfidence } from './modality-confidence.js';
import { modulateGradients } from './modulate-gradients.js';
import { byPrefix } from './modality-of.js';
import { modulationCoefficients } from './modulation-coefficients.js';
import { prioritizedModalities } from './prioritized-modalities.js';
import { rankModalities } from './rank-modalities.js';
import { SequentialModalityPrioritization } from './sequential-modality-prioritization.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('modalityConfidence', () => {
  it('is 1/C for equal logits and the mean of p[y], computed by hand', () => {
    expectTensorClose(modalityConfidence(tf.tensor1d([0, 3], 'int32'), tf.zeros([2, 4])), 0.25, {
      atol: 1e-6,
    });
    const logits = tf.tensor2d([
      [Math.log(3), 0],
      [0, 0],
    ]);
    expectTensorClose(modalityConfidence(tf.tensor1d([0, 1], 'int32'), logits), 0.625, { atol: 1e-6 });
  });

  it('does not change when samples are permuted, and leaves nothing behind', () => {
    const labels = tf.tensor1d([0, 1, 2], 'int32');
    const logits = tf.tensor2d([
      [1, 2, 3],
      [0, 5, 1],
      [2, 2, 0],
    ]);
    const permuted = modalityConfidence(tf.reverse(labels), tf.reverse(logits, 0));
    expectTensorClose(permuted, modalityConfidence(labels, logits), { atol: 1e-7 });
    expectNoLeak(() => modalityConfidence(labels, logits));
  });
});

describe('rankModalities', () => {
  it('puts the least confident first and keeps the order of ties', () => {
    expect(rankModalities({ audio: 0.9, video: 0.2, text: 0.5 })).toEqual(['video', 'text', 'audio']);
    expect(rankModalities({ b: 0.5, a: 0.5 })).toEqual(['b', 'a']);
  });
});

describe('prioritizedModalities', () => {
  it('follows Eq. 6 at every boundary for three modalities and (75, 75, 150)', () => {
    const at = (epoch: number) => prioritizedModalities(['t', 'v', 'a'], epoch, [75, 75, 150]);
    expect([1, 75, 76, 150].map((epoch) => at(epoch))).toEqual([['t'], ['t'], ['v'], ['v']]);
    expect([151, 300, 301].map((epoch) => at(epoch))).toEqual([0, 1, 2].map(() => ['t', 'v', 'a']));
  });

  it('skips a phase of length 0', () => {
    expect(prioritizedModalities(['v', 'a'], 1, [0, 10])).toEqual(['v', 'a']);
    expect(prioritizedModalities(['t', 'v', 'a'], 1, [0, 2, 10])).toEqual(['v']);
  });

  it('is always all of one modality', () => {
    expect(prioritizedModalities(['a'], 1, [5])).toEqual(['a']);
  });
});

describe('modulationCoefficients', () => {
  it('is 1 for the prioritized and 0 for the others', () => {
    expect(modulationCoefficients(['a', 'v'], ['v'])).toEqual({ a: 0, v: 1 });
  });
});

describe('modulateGradients', () => {
  it('multiplies by any κ, by name and in the order of the gradients', () => {
    const a = tf.variable(tf.zeros([2]), true, `a/${Math.random()}`);
    const b = tf.variable(tf.zeros([3]), true, `b/${Math.random()}`);
    const gradients = [
      { name: a.name, tensor: tf.tensor1d([1, 2]) },
      { name: b.name, tensor: null },
    ];
    const kappa = (name: string) => (name === a.name ? 0.25 : 0);
    const [first, second] = modulateGradients(gradients, kappa, 'zero', [b, a]);
    expectTensorClose(first!.tensor!, [0.25, 0.5], { atol: 1e-7 });
    expectTensorClose(second!.tensor!, [0, 0, 0], {});
    expect(() => modulateGradients(gradients, kappa, 'zero', [a])).toThrow(/no variable of that name/);
  });
});

describe('byPrefix', () => {
  it('finds the modality, and none for shared variables', () => {
    const modalityOf = byPrefix({ audio: 'audio/', video: 'video/' });
    expect(modalityOf('video/conv1/kernel_1')).toBe('video');
    expect(modalityOf('fusion/kernel')).toBeUndefined();
  });

  it('refuses prefixes that overlap', () => {
    expect(() => byPrefix({ a: 'enc', b: 'encoder/' })).toThrow(/begins with "enc", the prefix of a/);
    expect(() => byPrefix({ a: '' })).toThrow(/is empty/);
  });
});

describe('SequentialModalityPrioritization', () => {
  const setup = (suppression?: 'zero' | 'freeze') => {
    const variables = ['audio/w', 'video/w', 'fusion/w'].map((name) => {
      // TensorFlow.js refuses a name twice; a suffix keeps the prefixes.
      return tf.variable(tf.tensor1d([1, 2]), true, `${name}/${Math.random()}`);
    });
    const smp = new SequentialModalityPrioritization({
      modalities: ['audio', 'video'],
      modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
      phaseEpochs: [2, 2],
      ...(suppression && { suppression }),
    });
    const loss = () => tf.sum(tf.addN(variables.map((v) => tf.square(v)))) as tf.Scalar;
    return { variables, smp, loss };
  };
  const confidence = { audio: 0.9, video: 0.4 };

  it('trains everything before the first update', () => {
    expect(setup().smp.coefficients).toEqual({ audio: 1, video: 1 });
  });

  it('suppresses the more confident modality in phase 1 and nothing afterwards', () => {
    const { smp, variables, loss } = setup();
    smp.update({ epoch: 2, confidence });
    expect(smp.coefficients).toEqual({ audio: 0, video: 1 });
    const active = smp.activeVariables(variables);
    expect(active).toEqual(variables.slice(1));
    const gradients = smp.modulate(tf.variableGrads(loss, active).grads, variables);
    expect(gradients.map(({ name }) => name)).toEqual(variables.map(({ name }) => name));
    expectTensorClose(gradients[0]!.tensor!, [0, 0], {});
    expectTensorClose(gradients[1]!.tensor!, [2, 4], {});
    expectTensorClose(gradients[2]!.tensor!, [2, 4], {});
    smp.update({ epoch: 3, confidence });
    expect(smp.activeVariables(variables)).toEqual(variables);
  });

  it('gives the same gradients whether the tape computed the suppressed ones or not', () => {
    const { smp, variables, loss } = setup();
    smp.update({ epoch: 1, confidence });
    const all = smp.modulate(tf.variableGrads(loss, variables).grads, variables);
    expectTensorClose(all[0]!.tensor!, [0, 0], {});
  });

  it('turns an infinite gradient of a suppressed variable into zeros, not NaN', () => {
    const { smp, variables } = setup();
    smp.update({ epoch: 1, confidence });
    const grads = Object.fromEntries(variables.map(({ name }) => [name, tf.tensor1d([Infinity, NaN])]));
    expectTensorClose(smp.modulate(grads, variables)[0]!.tensor!, [0, 0], {});
  });

  for (const [name, make] of Object.entries({
    SGD: (variables: tf.Variable[]) =>
      new SGD(variables, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
    momentum: () => tf.train.momentum(0.1, 0.9),
    adam: () => tf.train.adam(0.1),
  })) {
    it(`freezes bit-identically with ${name}, and resumes in the joint phase`, () => {
      const { smp, variables, loss } = setup('freeze');
      const optimizer = make(variables);
      const start = [...variables[0]!.dataSync()];
      for (let epoch = 1; epoch <= 4; epoch++) {
        smp.update({ epoch, confidence });
        tf.tidy(() => {
          const { grads } = tf.variableGrads(loss, smp.activeVariables(variables));
          optimizer.applyGradients(smp.modulate(grads, variables));
        });
        const [audio, video, fusion] = variables.map((variable) => [...variable.dataSync()]);
        expect(audio!.join() === start.join()).toBe(epoch <= 2);
        // The others do not notice: they train as without SMP.
        expect(video).toEqual(fusion);
      }
    });
  }

  it('leaves no tensors behind in a step', () => {
    const { smp, variables, loss } = setup();
    smp.update({ epoch: 1, confidence });
    const before = tf.memory().numTensors;
    tf.dispose(tf.tidy(() => smp.modulate(tf.variableGrads(loss, variables).grads, variables)));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says what is wrong with the options', () => {
    const modalityOf = byPrefix({ audio: 'audio/', video: 'video/' });
    const make = (modalities: ('audio' | 'video')[], phaseEpochs: number[]) =>
      new SequentialModalityPrioritization({ modalities, modalityOf, phaseEpochs });
    expect(() => make(['audio', 'video'], [1, 2, 3])).toThrow(
      '`phaseEpochs` has 3 entries but there are 2 modalities (audio, video). Give one phase length per modality: the last one is the joint phase.',
    );
    expect(() => make(['audio', 'video'], [1.5, 2])).toThrow(/whole number of epochs/);
    expect(() => make(['audio', 'audio'], [1, 2])).toThrow(/give every modality once/);
    const { smp } = setup();
    expect(() => smp.update({ epoch: 0, confidence })).toThrow(/epochs count from 1/);
    expect(() => smp.update({ epoch: 1, confidence: { audio: 1, video: NaN } })).toThrow(
      /confidence of video is NaN/,
    );
    // @ts-expect-error A misspelt modality does not compile.
    expect(() => smp.update({ epoch: 1, confidence: { audio: 1, vidoe: 0 } })).toThrow(/no modality "video"/);
  });
});
