// Runs on a page: the video alone for two epochs, then both, in a loop and in `fit`. `tf` is the page's.
import * as tf from '@tensorflow/tfjs';
import {
  byPrefix,
  modalityConfidence,
  PrioritizedOptimizer,
  SequentialModalityPrioritization,
} from '@g2d/smp';

// The repository is compiled without the types of a browser.
declare const location: { readonly search: string };

type M = 'audio' | 'video';

/** What the page reports of an epoch. */
export interface Epoch {
  readonly coefficients: Readonly<Record<M, number>>;
  readonly loss: number;
  /** Whether each encoder's weights changed in this epoch, in any bit. */
  readonly moved: Readonly<Record<M, boolean>>;
}

const SAMPLES = 12;
const CLASSES = 3;

const seeded = (seed: number) => tf.initializers.randomUniform({ seed, minval: -0.5, maxval: 0.5 });

function encoder(name: M, seed: number): { input: tf.SymbolicTensor; features: tf.SymbolicTensor } {
  const input = tf.input({ shape: [8, 8, 1] });
  const conv = tf.layers.conv2d({
    name: `${name}/conv1`,
    filters: 4,
    kernelSize: 3,
    activation: 'relu',
    kernelInitializer: seeded(seed),
  });
  const pool = tf.layers.globalAveragePooling2d({ name: `${name}/pool` });
  return { input, features: pool.apply(conv.apply(input)) as tf.SymbolicTensor };
}

function student(): tf.LayersModel {
  const [audio, video] = [encoder('audio', 1), encoder('video', 2)];
  const both = tf.layers.concatenate().apply([audio.features, video.features]);
  const head = tf.layers.dense({
    name: 'head',
    units: CLASSES,
    activation: 'softmax',
    kernelInitializer: seeded(3),
  });
  return tf.model({ inputs: [audio.input, video.input], outputs: head.apply(both) as tf.SymbolicTensor });
}

async function run(): Promise<{ backend: string; loop: Epoch[]; fit: Epoch[] }> {
  await tf.ready();
  const labels = tf.tensor1d(
    Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
    'int32',
  );
  const classes = tf.oneHot(labels, CLASSES).toFloat() as tf.Tensor2D;
  const images = (seed: number) =>
    tf.add(
      tf.reshape(labels, [SAMPLES, 1, 1, 1]),
      tf.randomUniform([SAMPLES, 8, 8, 1], -0.2, 0.2, 'float32', seed),
    );
  const inputs = [images(4), images(5)];
  const confidence = {
    audio: (await modalityConfidence(labels, tf.mul(classes, 4)).data())[0] as number,
    video: (await modalityConfidence(labels, tf.sub(classes, 0.5)).data())[0] as number,
  };
  const variablesOf = (model: tf.LayersModel) =>
    model.trainableWeights.map((weight) => weight.read() as tf.Variable);

  /** Records epochs: call it before the first and after each. */
  const recorder = (variables: tf.Variable[], smp: SequentialModalityPrioritization<M>) => {
    const epochs: Epoch[] = [];
    const weights = (name: M) =>
      variables
        .filter((v) => v.name.startsWith(`${name}/`))
        .map((v) => [...new Uint32Array(v.dataSync().slice().buffer)].join());
    let before = { audio: weights('audio'), video: weights('video') };
    const record = (loss: number): void => {
      const now = { audio: weights('audio'), video: weights('video') };
      const moved = (name: M) => now[name].every((value, i) => value !== before[name][i]);
      epochs.push({
        coefficients: smp.coefficients,
        loss,
        moved: { audio: moved('audio'), video: moved('video') },
      });
      before = now;
    };
    return { epochs, record };
  };
  const prioritization = (variables: tf.Variable[], ranking: 'batch' | { dataset: Record<M, number> }) =>
    new SequentialModalityPrioritization({
      modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
      phaseEpochs: [2, 2],
      scope: 'conv',
      ranking,
      variables,
    });

  // A loop of one's own.
  const model = student();
  const variables = variablesOf(model);
  const smp = prioritization(variables, 'batch');
  const loop = recorder(
    variables.filter((v) => v.rank === 4),
    smp,
  );
  const optimizer = tf.train.momentum(0.2, 0.9);
  for (let epoch = 1; epoch <= 4; epoch++) {
    smp.update({ epoch, confidence });
    const loss = tf.tidy(() => {
      const cost = () =>
        tf.losses.logLoss(classes, model.apply(inputs, { training: true }) as tf.Tensor) as tf.Scalar;
      const { value, grads } = tf.variableGrads(cost, smp.activeVariables(variables));
      optimizer.applyGradients(smp.modulate(grads, variables));
      return value.dataSync()[0] as number;
    });
    loop.record(loss);
  }

  // `fit`, in one batch an epoch.
  const fitted = student();
  const fittedVariables = variablesOf(fitted);
  const prioritized = prioritization(fittedVariables, { dataset: confidence });
  const fit = recorder(
    fittedVariables.filter((v) => v.rank === 4),
    prioritized,
  );
  fitted.compile({
    optimizer: new PrioritizedOptimizer(tf.train.momentum(0.2, 0.9), prioritized),
    loss: 'categoricalCrossentropy',
  });
  await fitted.fit(inputs, classes, {
    epochs: 4,
    batchSize: SAMPLES,
    shuffle: false,
    yieldEvery: 'never',
    callbacks: {
      onEpochBegin: async (epoch) => prioritized.update({ epoch: epoch + 1 }),
      onEpochEnd: async (_, logs) => fit.record(logs?.['loss'] as number),
    },
  });
  return { backend: tf.getBackend(), loop: loop.epochs, fit: fit.epochs };
}

const query = new URLSearchParams(location.search);
tf.setBackend(query.get('backend') as string)
  .then(run)
  .then((result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) }));
