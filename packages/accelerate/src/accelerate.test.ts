import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from './accelerate.js';
import { randomStream } from '@g2d/tensor-ops';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const numbers = (seed: number, shape: number[]) => {
  const random = randomStream(seed);
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

type Build = (x: tf.SymbolicTensor) => tf.SymbolicTensor;

/** The same model twice, plain and accelerated, with the same weights. */
function twice(shape: number[], build: Build): { plain: tf.LayersModel; fast: tf.LayersModel } {
  const make = () => {
    const inputs = tf.input({ shape });
    // A layer before it, so that the gradient of its input counts too.
    const first = tf.layers
      .conv2d({ filters: 2, kernelSize: 1, useBias: false })
      .apply(inputs) as tf.SymbolicTensor;
    return tf.model({ inputs, outputs: build(first) });
  };
  const plain = make();
  plain.weights.forEach((weight, i) => {
    const positive = weight.originalName.includes('variance') || weight.originalName.includes('gamma');
    const values = numbers(i + 1, weight.shape as number[]);
    weight.write(positive ? tf.add(tf.abs(values), 0.5) : tf.mul(values, 0.3));
  });
  const fast = make();
  fast.setWeights(plain.getWeights().map((weight) => weight.clone()));
  return { plain, fast: accelerate(fast) };
}

/** Compares outputs and the gradients of every variable. */
function expectEqual(shape: number[], build: Build, training: boolean): void {
  const { plain, fast } = twice(shape, build);
  const x = numbers(99, [4, ...shape]);
  const run = (model: tf.LayersModel) => {
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    let outputs: tf.Tensor | undefined;
    const { grads } = tf.variableGrads(() => {
      const y = model.apply(x, { training }) as tf.Tensor;
      outputs = tf.keep(y.clone());
      // Weights that differ, so that errors in single elements do not cancel.
      return tf.sum(tf.mul(tf.square(y), numbers(7, y.shape))) as tf.Scalar;
    }, variables);
    return { outputs: outputs!, grads: variables.map(({ name }) => grads[name]!) };
  };
  const [expected, actual] = [run(plain), run(fast)];
  const scale = (tensor: tf.Tensor) => tf.max(tf.abs(tensor)).dataSync()[0]! + 1e-6;
  expectTensorClose(actual.outputs, expected.outputs, { atol: 1e-5 * scale(expected.outputs) });
  expected.grads.forEach((grad, i) =>
    expectTensorClose(actual.grads[i]!, grad, { atol: 1e-4 * scale(grad) }),
  );
}

const { layers } = tf;
const plainConv =
  (config: Partial<Parameters<typeof layers.conv2d>[0]>): Build =>
  (x) =>
    layers.conv2d({ filters: 3, kernelSize: 3, useBias: false, ...config }).apply(x) as tf.SymbolicTensor;

describe('accelerate', () => {
  const cases: Record<string, Build> = {
    'a convolution after symmetric padding, stride 2': (x) =>
      plainConv({ kernelSize: 5, strides: 2 })(
        layers.zeroPadding2d({ padding: 2 }).apply(x) as tf.SymbolicTensor,
      ),
    'a convolution after padding that differs by axis': (x) =>
      plainConv({ strides: [1, 2] })(
        layers
          .zeroPadding2d({
            padding: [
              [1, 1],
              [2, 2],
            ] as never,
          })
          .apply(x) as tf.SymbolicTensor,
      ),
    'a valid convolution': plainConv({}),
    'a same convolution, stride 1': plainConv({ padding: 'same' }),
    'batch normalization': (x) =>
      layers.batchNormalization({ epsilon: 1e-5, momentum: 0.9 }).apply(x) as tf.SymbolicTensor,
    'ReLU as Activation and as ReLU': (x) =>
      layers.reLU().apply(layers.activation({ activation: 'relu' }).apply(x)) as tf.SymbolicTensor,
    // What it does not know goes to the layer itself.
    'asymmetric padding': (x) =>
      plainConv({})(
        layers
          .zeroPadding2d({
            padding: [
              [0, 1],
              [2, 0],
            ] as never,
          })
          .apply(x) as tf.SymbolicTensor,
      ),
    'padding whose value is used twice': (x) => {
      const padded = layers.zeroPadding2d({ padding: 1 }).apply(x) as tf.SymbolicTensor;
      const cropped = layers
        .cropping2D({
          cropping: [
            [1, 1],
            [1, 1],
          ],
        })
        .apply(padded) as tf.SymbolicTensor;
      return layers.add().apply([plainConv({ filters: 2 })(padded), cropped]) as tf.SymbolicTensor;
    },
    'padding before a same convolution': (x) =>
      plainConv({ padding: 'same' })(layers.zeroPadding2d({ padding: 1 }).apply(x) as tf.SymbolicTensor),
    'a convolution with bias and activation': plainConv({ useBias: true, activation: 'tanh' }),
    'a same convolution with stride': plainConv({ padding: 'same', strides: 2 }),
    'a same convolution with an even window': plainConv({ padding: 'same', kernelSize: 2 }),
    'batch normalization of vectors': (x) =>
      layers.batchNormalization().apply(layers.flatten().apply(x)) as tf.SymbolicTensor,
    'ReLU with a maximum': (x) => layers.reLU({ maxValue: 1 }).apply(x) as tf.SymbolicTensor,
    'a residual block with pooling and a dense head': (x) => {
      const convolved = plainConv({ filters: 2, padding: 'same' })(x);
      const normalized = layers.batchNormalization().apply(convolved) as tf.SymbolicTensor;
      const sum = layers.activation({ activation: 'relu' }).apply(layers.add().apply([normalized, x]));
      return layers
        .dense({ units: 3 })
        .apply(layers.globalAveragePooling2d({}).apply(sum)) as tf.SymbolicTensor;
    },
  };
  for (const [name, build] of Object.entries(cases)) {
    // Plain layers pass `training` on only to layers that know it.
    for (const training of [true, false]) {
      it(`equals plain layers: ${name}, ${training ? 'training' : 'inference'}`, () => {
        expectEqual([9, 8, 2], build, training);
      });
    }
  }

  const withoutGradient: Record<string, Build> = {
    'a dilated convolution': plainConv({ dilationRate: 2 }),
    'batch normalization over another axis': (x) =>
      layers.batchNormalization({ axis: 1 }).apply(x) as tf.SymbolicTensor,
  };
  for (const [name, build] of Object.entries(withoutGradient)) {
    it(`leaves to the layer what plain TensorFlow.js has no gradient for: ${name}`, () => {
      const { plain, fast } = twice([9, 8, 2], build);
      const x = numbers(99, [4, 9, 8, 2]);
      expectTensorClose(fast.apply(x) as tf.Tensor, plain.apply(x) as tf.Tensor, { atol: 1e-5 });
    });
  }

  it('moves running statistics as PyTorch does: unbiased variance, momentum 0.1', () => {
    const input = tf.input({ shape: [1, 1, 1] });
    const model = accelerate(
      tf.model({
        inputs: input,
        outputs: layers.batchNormalization({ momentum: 0.9 }).apply(input) as tf.SymbolicTensor,
      }),
    );
    // 1, 2, 3, 4: mean 2.5, unbiased variance 5/3; from 0 and 1: 0.25 and 0.9 + 0.1 · 5/3.
    model.apply(tf.tensor4d([1, 2, 3, 4], [4, 1, 1, 1]), { training: true });
    const [, , mean, variance] = model.getWeights();
    expectTensorClose(mean!, [0.25], { atol: 1e-6 });
    expectTensorClose(variance!, [0.9 + 0.1 * (5 / 3)], { atol: 1e-6 });
    model.apply(tf.ones([4, 1, 1, 1]), { training: false });
    expectTensorClose(model.getWeights()[2]!, [0.25], { atol: 1e-6 });
  });

  it('gives several outputs, and saves a model that plain TensorFlow.js loads', async () => {
    const inputs = tf.input({ shape: [6, 6, 1] });
    const first = plainConv({ filters: 2 })(inputs);
    const second = layers.flatten().apply(first) as tf.SymbolicTensor;
    const model = accelerate(tf.model({ inputs, outputs: [first, second] }));
    const x = numbers(1, [2, 6, 6, 1]);
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    expect(loaded.getClassName()).toBe(model.getClassName());
    const [actual, expected] = [model.apply(x) as tf.Tensor[], loaded.predict(x) as tf.Tensor[]];
    expect(actual).toHaveLength(2);
    actual.forEach((tensor, i) => expectTensorClose(tensor, expected[i]!, { atol: 1e-6 }));
  });

  it('leaves nothing behind but its output, also outside of tf.tidy', () => {
    const { fast } = twice([9, 8, 2], cases['a residual block with pooling and a dense head']!);
    const x = numbers(1, [4, 9, 8, 2]);
    fast.apply(x, { training: true });
    for (const training of [true, false]) expectNoLeak(() => fast.apply(x, { training }));
  });

  it('leaves other types of input to the layers', () => {
    const { plain, fast } = twice([9, 8, 2], plainConv({}));
    const x = tf.ones([1, 9, 8, 2], 'int32');
    expectTensorClose(fast.apply(x) as tf.Tensor, plain.apply(x) as tf.Tensor, { atol: 1e-5 });
  });

  it('leaves no tensors behind in a training step', () => {
    const { fast } = twice([9, 8, 2], cases['a residual block with pooling and a dense head']!);
    const x = numbers(1, [4, 9, 8, 2]);
    const step = () =>
      tf.tidy(() => {
        const variables = fast.trainableWeights.map((weight) => weight.read() as tf.Variable);
        tf.variableGrads(
          () => tf.sum(fast.apply(x, { training: true }) as tf.Tensor) as tf.Scalar,
          variables,
        );
      });
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('shares a gradient with code that gives one tensor to several values', () => {
    // Twice the same tensor, as a gradient function of the user's own may.
    const sum = tf.customGrad((a, b) => ({
      value: tf.add(a as tf.Tensor, b as tf.Tensor),
      gradFunc: (dy) => [dy, dy] as unknown as tf.Tensor,
    }));
    class Sum extends tf.layers.Layer {
      static className = 'SharedGradientSum';
      override call(inputs: tf.Tensor | tf.Tensor[]) {
        return sum(...(inputs as [tf.Tensor, tf.Tensor]));
      }
      override computeOutputShape(shapes: tf.Shape | tf.Shape[]) {
        return (shapes as tf.Shape[])[0]!;
      }
    }
    expectEqual(
      [6, 6, 2],
      (x) => {
        const convolve = () =>
          layers.activation({ activation: 'relu' }).apply(plainConv({ padding: 'same' })(x));
        return new Sum({}).apply([convolve(), convolve()] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
      },
      true,
    );
    // Between a model's output and a variable.
    const { fast } = twice([6, 6, 2], plainConv({ filters: 2 }));
    const w = tf.variable(tf.ones([1, 4, 4, 2]));
    const { grads } = tf.variableGrads(
      () => tf.sum(sum(fast.apply(numbers(1, [1, 6, 6, 2])) as tf.Tensor, w)) as tf.Scalar,
      [...fast.trainableWeights.map((weight) => weight.read() as tf.Variable), w],
    );
    expectTensorClose(grads[w.name]!, tf.ones([1, 4, 4, 2]), {});
  });

  it('says how many inputs there must be', () => {
    const inputs = [tf.input({ shape: [2] }), tf.input({ shape: [2] })];
    const model = accelerate(tf.model({ inputs, outputs: layers.add().apply(inputs) as tf.SymbolicTensor }));
    expect(() => model.apply(tf.ones([1, 2]))).toThrow(/has 2 inputs .* but got 1 tensors/);
  });

  it('refuses what TensorFlow.js refuses: wrong ranks and channels, also of frames', () => {
    const { fast } = twice([9, 8, 2], plainConv({}));
    for (const shape of [
      [9, 8, 2],
      [1, 3, 9, 8, 2],
      [1, 9, 8, 4],
    ]) {
      expect(() => fast.apply(tf.ones(shape)), shape.join()).toThrow(/expected/);
    }
    const inputs = tf.input({ shape: [3, 9, 8, 2] });
    const layer = layers.conv2d({ filters: 2, kernelSize: 3, useBias: false });
    const outputs = layers.timeDistributed({ layer }).apply(inputs) as tf.SymbolicTensor;
    const frames = accelerate(tf.model({ inputs, outputs }));
    for (const shape of [
      [3, 9, 8, 2],
      [1, 3, 9, 8, 4],
    ]) {
      expect(() => frames.apply(tf.ones(shape)), shape.join()).toThrow(/expected/);
    }
  });

  for (const backend of ['tensorflow', 'cpu']) {
    it(`leaves the caller's tensors alone where a model hands its input through: ${backend}`, async () => {
      await tf.setBackend(backend);
      const inner = tf.input({ shape: [2] });
      const identity = tf.model({
        inputs: inner,
        outputs: [inner, layers.activation({ activation: 'relu' }).apply(inner) as tf.SymbolicTensor],
      });
      const inputs = tf.input({ shape: [2] });
      const sum = layers.add().apply(identity.apply(inputs) as tf.SymbolicTensor[]) as tf.SymbolicTensor;
      const outputs = layers.add().apply([sum, inputs]) as tf.SymbolicTensor;
      const x = tf.ones([1, 2]);
      expectTensorClose(accelerate(tf.model({ inputs, outputs })).apply(x) as tf.Tensor, [3, 3], {});
      expect(x.isDisposed).toBe(false);
      await tf.setBackend('tensorflow');
    });
  }

  it('leaves a gradient to whoever keeps it', () => {
    let captured: tf.Tensor | undefined;
    const watch = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy) => {
        captured = tf.keep(dy);
        return dy;
      },
    }));
    const { fast } = twice([9, 8, 2], plainConv({}));
    tf.grad((x) => tf.sum(watch(fast.apply(x) as tf.Tensor)))(tf.ones([1, 9, 8, 2]));
    expect(captured!.isDisposed).toBe(false);
    expect(captured!.dataSync()[0]).toBe(1);
  });

  it('notices layers that are added later', () => {
    const model = tf.sequential({ layers: [layers.dense({ inputShape: [3], units: 4 })] });
    accelerate(model);
    expect((model.apply(tf.ones([1, 3])) as tf.Tensor).shape).toEqual([1, 4]);
    model.add(layers.dense({ units: 2 }));
    expect((model.apply(tf.ones([1, 3])) as tf.Tensor).shape).toEqual([1, 2]);
  });

  it('runs what the user has written: arguments, subclasses, replaced calls', () => {
    class Scale extends tf.layers.Layer {
      static className = 'ScaleByArgument';
      override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { factor?: number }) {
        return tf.mul([inputs].flat()[0] as tf.Tensor, kwargs.factor ?? 1);
      }
    }
    const inputs = tf.input({ shape: [2] });
    const scaled = accelerate(
      tf.model({ inputs, outputs: new Scale({}).apply(inputs) as tf.SymbolicTensor }),
    );
    expectTensorClose(scaled.apply(tf.ones([1, 2]), { factor: 5 }) as tf.Tensor, [5, 5], {});

    class Twice extends tf.LayersModel {
      override call(given: tf.Tensor | tf.Tensor[], kwargs: object) {
        return tf.mul(2, [super.call(given, kwargs as never)].flat()[0] as tf.Tensor);
      }
    }
    const ones = layers.dense({ units: 1, kernelInitializer: 'ones' });
    const outputs = ones.apply(inputs) as tf.SymbolicTensor;
    expectTensorClose(
      accelerate(new Twice({ inputs, outputs, name: 'twice' })).apply(tf.ones([1, 2])) as tf.Tensor,
      [4],
      {},
    );

    const replaced = layers.dense({ units: 1, kernelInitializer: 'ones' });
    const original = replaced.call.bind(replaced);
    replaced.call = (given, kwargs) => tf.mul(3, original(given, kwargs) as tf.Tensor);
    const model = accelerate(tf.model({ inputs, outputs: replaced.apply(inputs) as tf.SymbolicTensor }));
    expectTensorClose(model.apply(tf.ones([1, 2])) as tf.Tensor, [6], {});
  });

  it('keeps whole numbers as they are', () => {
    const inputs = tf.input({ shape: [2, 2, 1], dtype: 'int32' });
    const rows = layers.reshape({ targetShape: [4] }).apply(inputs) as tf.SymbolicTensor;
    const pooled = layers.maxPooling2d({ poolSize: 2 }).apply(inputs) as tf.SymbolicTensor;
    const model = accelerate(tf.model({ inputs, outputs: [rows, pooled] }));
    const large = [16777217, 33554433, 1, 2];
    const [reshaped, maximum] = model.apply(tf.tensor4d(large, [1, 2, 2, 1], 'int32')) as tf.Tensor[];
    expect([...reshaped!.dataSync()]).toEqual(large);
    expect(maximum!.dtype).toBe('int32');
  });

  it('refuses a precision that does not exist', () => {
    const { plain } = twice([9, 8, 2], plainConv({}));
    expect(() => accelerate(plain, { precision: 'float64' as 'float32' })).toThrow(
      /it can be float32 or bfloat16/,
    );
  });
});
