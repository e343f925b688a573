import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { SGD } from './sgd.js';
import { orderedGradients } from '../gradients.js';
import { expectNoLeak, expectTensorClose } from '../testing.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const gradient = (variable: tf.Variable, value: number) => ({
  name: variable.name,
  tensor: tf.fill(variable.shape, value),
});

describe('a list of gradients', () => {
  it('is refused as a whole if an entry is wrong', () => {
    const [a, b] = [tf.variable(tf.ones([2])), tf.variable(tf.ones([2]))];
    const optimizer = new SGD([a, b], { learningRate: 0.1, momentum: 0.9 });
    const whole = { name: b.name, tensor: tf.ones([2], 'int32') };
    expect(() => optimizer.applyGradients([gradient(a, 1), whole])).toThrow(/is int32; expected float32/);
    expect(() => optimizer.applyGradients([gradient(a, 1), gradient(a, 1)])).toThrow(/two gradients/);
    expectTensorClose(a, [1, 1], {});
    optimizer.dispose();
  });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('SGD on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  it('moves as PyTorch defines momentum and weight decay', () => {
    // lr 0.1, μ 0.9, λ 0.01; θ0 = 1, g = 2:
    // v1 = 2 + 0.01 = 2.01, θ1 = 0.799; v2 = 0.9·2.01 + 2 + 0.00799 = 3.81699, θ2 = 0.417301.
    const theta = tf.variable(tf.tensor1d([1]));
    const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 });
    optimizer.applyGradients([gradient(theta, 2)]);
    expectTensorClose(theta, [0.799], { atol: 1e-6 });
    optimizer.applyGradients([gradient(theta, 2)]);
    expectTensorClose(theta, [0.417301], { atol: 1e-6 });
  });

  it('keeps state by name: a skipped variable does not shift the others', () => {
    const [a, b] = [tf.variable(tf.tensor1d([0])), tf.variable(tf.tensor1d([0, 0]))];
    const optimizer = new SGD([a, b], { learningRate: 1, momentum: 0.5 });
    optimizer.applyGradients([gradient(a, 1), gradient(b, 10)]);
    optimizer.applyGradients([{ name: a.name, tensor: null }, gradient(b, 10)]);
    optimizer.applyGradients([gradient(a, 1), gradient(b, 10)]);
    expectTensorClose(a, [-(1 + 1.5)], { atol: 1e-6 });
    expectTensorClose(b, [-(10 + 15 + 17.5), -(10 + 15 + 17.5)], { atol: 1e-5 });
  });

  it('leaves a null entry bit-identical, and lets momentum and decay move a zero gradient', () => {
    const [frozen, zero] = [tf.variable(tf.tensor1d([0.3])), tf.variable(tf.tensor1d([0.3]))];
    const optimizer = new SGD([frozen, zero], { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 });
    optimizer.applyGradients([gradient(frozen, 1), gradient(zero, 1)]);
    const before = frozen.dataSync()[0];
    optimizer.applyGradients([{ name: frozen.name, tensor: null }, gradient(zero, 0)]);
    expect(frozen.dataSync()[0]).toBe(before);
    expect(zero.dataSync()[0]).toBeLessThan(before as number);
  });

  it('leaves clones, views, copied states and the values it started from as they were', () => {
    const values = Float32Array.of(1, 2);
    const theta = tf.variable(tf.tensor1d(values));
    const optimizer = new SGD([theta], { learningRate: 0.5, momentum: 0.5 });
    optimizer.applyGradients([gradient(theta, 1)]);
    expectTensorClose(theta, [0.5, 1.5], {});
    const clone = tf.clone(theta);
    const state = optimizer.getState();
    optimizer.applyGradients([gradient(theta, 1)]);
    const view = tf.reshape(theta, [2, 1]);
    optimizer.applyGradients([gradient(theta, 1)]);
    // v = 1, 1.5, 1.75.
    expectTensorClose(theta, [-1.125, -0.125], {});
    expectTensorClose(view, [-0.25, 0.75], {});
    expectTensorClose(clone, [0.5, 1.5], {});
    expectTensorClose(state[`${theta.name}/velocity`]!, [1, 1], {});
    expect(values).toEqual(Float32Array.of(1, 2));
  });

  it('goes on from what others assign to a variable, and keeps its velocity', () => {
    const theta = tf.variable(tf.tensor1d([0]));
    const [optimizer, other] = [0.5, 0].map((momentum) => new SGD([theta], { learningRate: 1, momentum }));
    optimizer!.applyGradients([gradient(theta, 1)]);
    theta.assign(tf.tensor1d([10]));
    optimizer!.applyGradients([gradient(theta, 1)]);
    expectTensorClose(theta, [8.5], {});
    other!.applyGradients([gradient(theta, 1)]);
    optimizer!.applyGradients([gradient(theta, 1)]);
    expectTensorClose(theta, [7.5 - 1.75], {});
  });

  it('can be used after another backend has been chosen', async () => {
    const theta = tf.variable(tf.tensor1d([1, 2]));
    const optimizer = new SGD([theta], { learningRate: 0.5, momentum: 0.5, weightDecay: 0.5 });
    optimizer.applyGradients([gradient(theta, 1)]);
    await tf.setBackend(backend === 'cpu' ? 'tensorflow' : 'cpu');
    const clone = tf.clone(theta);
    optimizer.applyGradients([gradient(theta, 1)]);
    // v = 1.5, 2; θ = 0.25, 1; v = 0.75 + 1.125, 1 + 1.5.
    expectTensorClose(theta, [0.25 - 0.9375, 1 - 1.25], {});
    expectTensorClose(clone, [0.25, 1], {});
    const state = optimizer.getState();
    expectTensorClose(tf.add(state[`${theta.name}/velocity`]!, 0), [1.875, 2.5], {});
    optimizer.dispose();
    await tf.setBackend(backend);
    expectTensorClose(tf.add(theta, 0), [-0.6875, -0.25], {});
  });

  it('leaves no tensors behind', () => {
    const theta = tf.variable(tf.ones([3]));
    const g = gradient(theta, 1);
    for (const options of [
      {},
      { momentum: 0.9 },
      { momentum: 0.9, nesterov: true },
      { dampening: 0.1, momentum: 0.9 },
    ]) {
      expectNoLeak(() => {
        const optimizer = new SGD([theta], { learningRate: 0.1, weightDecay: 0.1, ...options });
        optimizer.applyGradients([g]);
        const after = tf.memory().numTensors;
        for (let i = 0; i < 5; i++) tf.tidy(() => optimizer.applyGradients([g]));
        expect(tf.memory().numTensors).toBe(after);
        const state = optimizer.getState();
        optimizer.setState(state);
        optimizer.dispose();
        return state;
      });
    }
  });

  it('changes nothing if one gradient is wrong, and names it', () => {
    const [theta, eta] = [tf.variable(tf.ones([1])), tf.variable(tf.ones([1]))];
    const optimizer = new SGD([theta, eta], { learningRate: 0.1 });
    expect(() => optimizer.applyGradients([gradient(theta, 1), { name: 'other', tensor: null }])).toThrow(
      /"other".*not one of/,
    );
    expect(() =>
      optimizer.applyGradients([gradient(theta, 1), { name: eta.name, tensor: tf.zeros([2]) }]),
    ).toThrow(`\`${eta.name}\` has shape [2]; expected [1]`);
    expectTensorClose(theta, [1], {});
  });

  it('refuses states of another model or optimizer', () => {
    const theta = tf.variable(tf.ones([2]));
    const name = `${theta.name}/velocity`;
    const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9 });
    expect(() => optimizer.setState({ 'x/velocity': tf.ones([2]) })).toThrow(
      `The saved state has "x/velocity", but this optimizer keeps 1 tensors, such as "${name}"`,
    );
    expect(() => optimizer.setState({ [name]: tf.ones([3]) })).toThrow(
      /velocity` has shape \[3\]; expected \[2\]/,
    );
    expect(() => new SGD([theta], { learningRate: 0.1 }).setState({ [name]: tf.ones([2]) })).toThrow(
      /this optimizer keeps none/,
    );
  });
});

describe('settings of SGD', () => {
  it('are refused where PyTorch refuses them', () => {
    const options = (settings: object) => () => new SGD([], { learningRate: 0.1, ...settings });
    expect(options({ learningRate: -1 })).toThrow(
      /`learningRate` is -1; it must be a finite number of at least 0/,
    );
    expect(options({ momentum: NaN })).toThrow(/`momentum` is NaN/);
    expect(options({ weightDecay: Infinity })).toThrow(/`weightDecay` is Infinity/);
    expect(options({ nesterov: true })).toThrow(/`nesterov` needs a momentum above 0 .* they are 0 and 0/);
    expect(options({ nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow(/they are 0.9 and 0.1/);
    const optimizer = options({})();
    expect(() => (optimizer.learningRate = NaN)).toThrow(/`learningRate` is NaN/);
  });
});

describe('updates inside of TensorFlow', () => {
  it('are made in place: after a backward pass nobody else holds the variable', async () => {
    await tf.setBackend('tensorflow');
    const [x, theta] = [tf.ones([2, 3]), tf.tidy(() => tf.variable(tf.ones([3, 2])))];
    const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9 });
    const data = theta.dataId;
    for (let i = 0; i < 2; i++) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => tf.sum(tf.square(tf.matMul(x, theta))), [theta]);
        optimizer.applyGradients(orderedGradients(grads, [theta]));
      });
    }
    // A copy would have come with an entry of its own.
    expect(theta.dataId).toBe(data);
    optimizer.dispose();
  });
});

describe('memory outside of TensorFlow.js', () => {
  it('is freed with the optimizer, and does not grow with steps', async () => {
    await tf.setBackend('tensorflow');
    const theta = tf.variable(tf.ones([2 ** 20]));
    const g = gradient(theta, 1);
    const run = (steps: number) => {
      const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 });
      for (let i = 0; i < steps; i++) optimizer.applyGradients([g]);
      tf.dispose(optimizer.getState());
      optimizer.dispose();
    };
    const measured = () => {
      for (let i = 0; i < 100; i++) run(2);
      run(200);
      return process.memoryUsage().rss;
    };
    // The first time, the allocator takes what it then keeps; how much depends on its settings.
    const before = measured();
    // 4 MiB for each optimizer or for each step would be 400 or 800 MiB.
    expect((measured() - before) / 2 ** 20).toBeLessThan(300);
  });
});
