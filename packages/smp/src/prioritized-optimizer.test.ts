import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byPrefix } from './modality-of.js';
import { PrioritizedOptimizer } from './prioritized-optimizer.js';
import { SequentialModalityPrioritization } from './sequential-modality-prioritization.js';
import type { SmpOptions } from './smp-options.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
// `minimize` without a list means every variable there is.
beforeEach(() => tf.disposeVariables());

type M = 'audio' | 'video';
const prioritization = (options: Partial<SmpOptions<M>> = {}) =>
  new SequentialModalityPrioritization<M>({
    modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
    phaseEpochs: [2, 2],
    ranking: { dataset: { audio: 0.9, video: 0.4 } },
    ...options,
  });

const optimizers = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
  adam: () => tf.train.adam(0.1),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.5),
};

/** Two encoders and a head, always with the same weights. */
function model(): tf.LayersModel {
  const dense = (name: string, units: number, seed: number) =>
    tf.layers.dense({
      name,
      units,
      kernelInitializer: tf.initializers.randomUniform({ seed, minval: -1, maxval: 1 }),
    });
  const audio = tf.input({ shape: [3] });
  const video = tf.input({ shape: [2] });
  const features = [
    dense('audio/dense', 4, 1).apply(audio) as tf.SymbolicTensor,
    dense('video/dense', 4, 2).apply(video) as tf.SymbolicTensor,
  ];
  const sum = tf.layers.add().apply(features) as tf.SymbolicTensor;
  const output = dense('head/dense', 2, 3).apply(sum) as tf.SymbolicTensor;
  return tf.model({ inputs: [audio, video], outputs: output });
}
const uniform = (shape: [number, number], seed: number) => tf.randomUniform(shape, -1, 1, 'float32', seed);
const data = () => ({ x: [uniform([6, 3], 4), uniform([6, 2], 5)], y: uniform([6, 2], 6) });
const variablesOf = (model: tf.LayersModel) => model.trainableWeights.map((w) => w.read() as tf.Variable);
const values = (variables: readonly tf.Variable[]) => variables.map((v) => [...v.dataSync()]);

async function fit(
  model: tf.LayersModel,
  optimizer: tf.Optimizer,
  epochs: number,
  onEpochBegin?: (e: number) => void,
) {
  const { x, y } = data();
  model.compile({ optimizer, loss: 'meanSquaredError' });
  const callbacks = onEpochBegin && { onEpochBegin: async (epoch: number) => onEpochBegin(epoch) };
  await model.fit(x, y, {
    epochs,
    batchSize: 2,
    shuffle: false,
    verbose: 0,
    ...(callbacks && { callbacks }),
  });
  return values(variablesOf(model));
}

describe('PrioritizedOptimizer in LayersModel.fit', () => {
  it.each(Object.entries(optimizers))(
    '%s: equals plain fit bit for bit while all κ are 1',
    async (_, inner) => {
      const plain = await fit(model(), inner(), 3);
      const smp = prioritization({ phaseEpochs: [0, 3] });
      expect(
        await fit(model(), new PrioritizedOptimizer(inner(), smp), 3, (e) => smp.update({ epoch: e + 1 })),
      ).toEqual(plain);
    },
  );

  it.each(Object.entries(optimizers))(
    '%s: keeps the frozen encoder bit-identical in phase 1 and trains it afterwards',
    async (_, inner) => {
      const smp = prioritization({ onZero: 'freeze' });
      const student = model();
      const variables = variablesOf(student);
      const before: number[][][] = [];
      await fit(student, new PrioritizedOptimizer(inner(), smp), 4, (epoch) => {
        before.push(values(variables));
        smp.update({ epoch: epoch + 1 });
      });
      const names = variables.map(({ name }) => name.split('/')[0]);
      for (const [i, name] of names.entries()) {
        const changed = before.slice(1).map((now, e) => now[i]!.join() !== before[e]![i]!.join());
        expect(changed, name).toEqual(name === 'audio' ? [false, false, true] : [true, true, true]);
      }
    },
  );

  it.each(Object.entries(optimizers))(
    '%s: gives each variable its own state over a change of phase',
    async (_, inner) => {
      // By hand: all gradients, zeros for audio, an inner optimizer for each variable.
      const hand = model();
      const variables = variablesOf(hand);
      const { x, y } = data();
      const own = variables.map(() => inner());
      for (let step = 0; step < 12; step++) {
        const rows = (t: tf.Tensor) => tf.slice(t, [2 * (step % 3), 0], [2, -1]);
        const { grads } = tf.variableGrads(() => {
          const output = hand.apply(x.map(rows), { training: true }) as tf.Tensor;
          return tf.mean(
            tf.losses.meanSquaredError(rows(y), output, undefined, tf.Reduction.MEAN),
          ) as tf.Scalar;
        }, variables);
        variables.forEach(({ name, shape }, i) => {
          const suppressed = step < 6 && name.startsWith('audio/');
          own[i]!.applyGradients([{ name, tensor: suppressed ? tf.zeros(shape) : grads[name]! }]);
        });
      }
      const smp = prioritization();
      const trained = await fit(model(), new PrioritizedOptimizer(inner(), smp), 4, (e) =>
        smp.update({ epoch: e + 1 }),
      );
      const expected = values(variables);
      for (const [i, value] of trained.entries()) {
        // The loss of `fit` rounds its mean in another order.
        expectTensorClose(tf.tensor1d(value), expected[i]!, { atol: 2e-5 });
      }
    },
  );

  it('saves what plain TensorFlow.js loads and goes on with', async () => {
    const smp = prioritization();
    const student = model();
    const optimizer = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
    await fit(student, optimizer, 3, (e) => smp.update({ epoch: e + 1 }));
    expect(optimizer.iterations).toBe(9);
    let artifacts!: tf.io.ModelArtifacts;
    const handler = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    });
    await student.save(handler, { includeOptimizer: true });
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const plain = loaded.optimizer as tf.MomentumOptimizer;
    expect(plain.getClassName()).toBe('Momentum');
    expect(plain.getConfig()).toEqual(optimizer.getConfig());
    expect(plain.iterations).toBe(9);
    // All κ are 1 from here on.
    const { x, y } = data();
    for (const one of [student, loaded]) await one.fit(x, y, { epochs: 2, shuffle: false, verbose: 0 });
    expect(values(variablesOf(loaded))).toEqual(values(variablesOf(student)));
    // And back into a wrapped one.
    const again = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
    await again.setWeights(await optimizer.getWeights());
    expect(again.iterations).toBe(optimizer.iterations);
  });
});

describe('PrioritizedOptimizer.minimize', () => {
  const setup = (names = ['audio/w', 'video/w', 'fusion/w']) => {
    const variables = names.map((name) => tf.variable(tf.tensor1d([1, 2]), true, name));
    return { variables, loss: () => tf.sum(tf.addN(variables.map((v) => tf.square(v)))) as tf.Scalar };
  };

  it.each(Object.entries(optimizers))(
    '%s: trains all trainable variables there are, as plain minimize',
    (_, inner) => {
      const run = (wrap: (optimizer: tf.Optimizer) => tf.Optimizer) => {
        tf.disposeVariables();
        const optimizer = wrap(inner());
        const { variables, loss } = setup();
        const frozen = tf.variable(tf.tensor1d([5]), false, 'audio/frozen');
        for (let i = 0; i < 4; i++) optimizer.minimize(loss);
        expect([...frozen.dataSync()]).toEqual([5]);
        return values(variables);
      };
      expect(run((inner) => new PrioritizedOptimizer(inner, prioritization()))).toEqual(
        run((inner) => inner),
      );
    },
  );

  it.each(Object.entries(optimizers))(
    '%s: without a list as with one, in both phases, and with only what is trained in its state',
    async (_, inner) => {
      const run = async (withList: boolean) => {
        tf.disposeVariables();
        const { variables, loss } = setup();
        const smp = prioritization();
        const wrapped = inner();
        const optimizer = new PrioritizedOptimizer(wrapped, smp);
        const history: number[][][] = [];
        for (let epoch = 1; epoch <= 4; epoch++) {
          smp.update({ epoch });
          optimizer.minimize(loss, false, withList ? variables : undefined);
          history.push(values(variables));
        }
        expect(history[1]![0]).toEqual([1, 2]);
        expect(history[2]![0]).not.toEqual([1, 2]);
        return { history, state: (await optimizer.getWeights()).map(({ name }) => name) };
      };
      expect(await run(false)).toEqual(await run(true));
    },
  );

  it('computes no gradient of what is suppressed, and leaves nothing behind', () => {
    const { variables, loss } = setup();
    const smp = prioritization();
    const optimizer = new PrioritizedOptimizer(tf.train.sgd(0.1), smp);
    smp.update({ epoch: 1 });
    expect(Object.keys(optimizer.computeGradients(loss, variables).grads)).toEqual(['video/w', 'fusion/w']);
    const before = tf.memory().numTensors;
    optimizer.minimize(loss);
    optimizer.minimize(loss, true)!.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the value where everything in the list is suppressed', () => {
    const { variables, loss } = setup();
    const smp = prioritization({ variables });
    const optimizer = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
    smp.update({ epoch: 1 });
    expect(optimizer.minimize(loss, true, [variables[0]!])!.dataSync()[0]).toBe(15);
    expect(values(variables)[0]).toEqual([1, 2]);
  });

  it('steps only what a list names, and keeps the state of the others', () => {
    const { variables, loss } = setup();
    const smp = prioritization({ variables });
    const optimizer = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
    optimizer.minimize(loss, false, variables);
    const before = values(variables);
    // Audio is suppressed, but its momentum would move it if it were in the step.
    smp.update({ epoch: 1 });
    optimizer.minimize(loss, false, [variables[1]!]);
    expect(values(variables)[0]).toEqual(before[0]);
    expect(values(variables)[2]).toEqual(before[2]);
    // w = 1 − 0.2 = 0.8, v = 2 + … : the second step of this variable has its own velocity.
    expectTensorClose(variables[1]!, [0.8 - 0.1 * (0.9 * 2 + 1.6), 1.6 - 0.1 * (0.9 * 4 + 3.2)], {
      atol: 1e-6,
    });
  });

  it('applies a map of gradients, and zeros to what is suppressed', () => {
    const { variables, loss } = setup();
    const smp = prioritization({ phaseEpochs: [1, 1] });
    const optimizer = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
    const step = () => {
      const { grads } = optimizer.computeGradients(loss, variables);
      optimizer.applyGradients(grads);
    };
    smp.update({ epoch: 2 });
    step();
    smp.update({ epoch: 1 });
    step();
    // Eq. 8 to the letter: momentum alone moves the suppressed one.
    expectTensorClose(variables[0]!, [0.8 - 0.1 * 0.9 * 2, 1.6 - 0.1 * 0.9 * 4], { atol: 1e-6 });
  });

  it.each(Object.entries(optimizers))(
    '%s: has the learning rate of what it wraps, to read and to change',
    (_, inner) => {
      const run = (wrap: (optimizer: tf.Optimizer) => tf.Optimizer, slow: (optimizer: never) => void) => {
        tf.disposeVariables();
        const { variables, loss } = setup();
        const optimizer = wrap(inner());
        for (let step = 0; step < 4; step++) {
          if (step === 2) slow(optimizer as never);
          optimizer.minimize(loss, false, variables);
        }
        return { weights: values(variables), config: optimizer.getConfig() };
      };
      // As TensorFlow.js itself does it: a method of two, a property of the others.
      const plain = run(
        (optimizer) => optimizer,
        (optimizer: { learningRate: number; setLearningRate?(rate: number): void }) =>
          optimizer.setLearningRate ? optimizer.setLearningRate(0.001) : (optimizer.learningRate = 0.001),
      );
      const wrap = (optimizer: tf.Optimizer) => new PrioritizedOptimizer(optimizer, prioritization());
      const assigned = run(wrap, (optimizer: PrioritizedOptimizer) => {
        expect(optimizer.learningRate).toBe((optimizer.getConfig() as { learningRate: number }).learningRate);
        optimizer.learningRate = 0.001;
        expect(optimizer.learningRate).toBe(0.001);
      });
      expect(assigned).toEqual(plain);
      expect(run(wrap, (optimizer: PrioritizedOptimizer) => optimizer.setLearningRate(0.001))).toEqual(plain);
      expect(plain.config['learningRate']).toBe(0.001);
    },
  );

  it.each(['adam', undefined, {}])('refuses %j in place of an optimizer', (inner) => {
    expect(() => new PrioritizedOptimizer(inner as never, prioritization())).toThrow(
      `\`inner\` is ${JSON.stringify(inner)}; expected an optimizer: tf.train.adam().`,
    );
  });

  it.each(['circle', 'bigint'])('refuses what JSON has no word for, a %s, with a sentence', (kind) => {
    const model: Record<string, unknown> = {};
    model['layers'] = [{ model }];
    const inner = (kind === 'circle' ? model : 7n) as never;
    const word = kind === 'circle' ? 'object' : 'bigint';
    expect(() => new PrioritizedOptimizer(inner, prioritization())).toThrow(
      `\`inner\` is ${word}; expected an optimizer`,
    );
  });

  it('refuses inference mode, which it cannot choose', () => {
    expect(
      () => new PrioritizedOptimizer(tf.train.sgd(0.1), prioritization({ suppressedBatchNorm: 'inference' })),
    ).toThrow('`suppressedBatchNorm` is "inference"; expected training: no optimizer can choose.');
  });

  it('disposes of what it wraps', () => {
    const inner = tf.train.adam(0.1);
    const before = tf.memory().numTensors;
    new PrioritizedOptimizer(inner, prioritization()).dispose();
    expect(tf.memory().numTensors).toBeLessThan(before);
  });
});
