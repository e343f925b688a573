import * as tf from '@tensorflow/tfjs';
import { batches, missingModalities } from '@g2d/datasets';
import { readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { cra } from './cra.js';
import { craFusion, type ImputedOutputs } from './cra-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const sizes = { units: [4, 3], blocks: 2, hidden: [5], dropout: 0, initialization: 'xavier' } as const;
const inputShapes = { loud: [4], quiet: [4] };
const fusion = () => craFusion<Modality>({ ...options, inputShapes }, sizes);
const masked = missingModalities(data, { rate: 0.3, seed: 1, inputs: 'complete' });
const hidden = { batches: (epoch: number) => batches(masked, { batchSize: 20, epoch }) as never };
/** All samples in batches of a size. */
const accumulated = (batchSize: number) => ({
  batches: (epoch: number) => batches(masked, { batchSize, epoch }) as never,
  batchesPerEpoch: 60 / batchSize,
});

describe('the loss of CRA', () => {
  const imputed = {
    loud: tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
    quiet: tf.tensor2d([[0], [7]]),
  };
  const step = {
    batch: {
      ids: ['a', 'b'],
      inputs: {
        loud: tf.tensor2d([
          [NaN, 1],
          [2, 2],
        ]),
        quiet: tf.tensor2d([[3], [NaN]]),
      },
      present: { loud: tf.tensor1d([1, 0]), quiet: tf.tensor1d([0, 1]) },
    },
    model: { modalities: both },
    presentSamples: { loud: 1, quiet: 1 },
    share: () => 1,
    taskLoss: () => tf.scalar(0.5),
  };
  const lossOf = (given: Parameters<typeof cra>[0]) => {
    const outputs = { logits: tf.zeros([2, 3]), imputed } as unknown as ImputedOutputs<Modality>;
    const terms = cra<Modality>(given).loss!(outputs, step as never, undefined);
    return Object.fromEntries(
      Object.entries<tf.Scalar>(terms).map(([name, term]) => [name, term.dataSync()[0]]),
    );
  };

  it('is the task’s and the distance to what is hidden, whatever stands in what is there', () => {
    // loud, sample b: ((3 − 2)² + (4 − 2)²) / 2; quiet, sample a: (0 − 3)².
    expect(lossOf({ weight: 0.1 })).toEqual({
      student: 0.5,
      reconstruction: 11.5,
      total: expect.closeTo(0.5 + 1.15, 6),
    });
    expect(lossOf({ weight: 0.1, taskWeight: 2, reduction: 'mean' })).toEqual({
      student: 0.5,
      reconstruction: 5.75,
      total: expect.closeTo(1 + 0.575, 6),
    });
  });
});

describe('cra', () => {
  it('lowers both parts of its loss', async () => {
    const log = await run(modelWith(fusion()), cra({ ...sizes, weight: 0.05 }), { ...hidden, epochs: 30 });
    const [first, last] = [log[0]!.loss, log.at(-1)!.loss];
    expect(last['student']).toBeLessThan(first['student']! * 0.8);
    expect(last['reconstruction']).toBeLessThan(first['reconstruction']! * 0.8);
  });

  it.each(['sum', 'mean'] as const)('with the %s trains alike on a batch in parts', async (reduction) => {
    const weights = async (batchSize: number) => {
      // Frozen encoders: batch normalization would see one part at a time.
      const model = modelWith(fusion());
      await run(model, cra({ ...sizes, reduction, weight: 0.01 }), {
        ...accumulated(batchSize),
        accumulate: 60 / batchSize,
        freeze: [...both],
      });
      return Object.values(readState(model)).flatMap(({ values }) => [...values]);
    };
    const [whole, parts] = [await weights(60), await weights(20)];
    expect(Math.max(...whole.map((value, i) => Math.abs(value - parts[i]!)))).toBeLessThan(1e-5);
  });

  it('does not train its decoders where nothing is missing', async () => {
    const model = modelWith(fusion());
    const start = readState(model);
    await run(model, cra(sizes));
    const after = readState(model);
    const names = (beginning: string) => Object.keys(start).filter((name) => name.startsWith(beginning));
    expect(names('head/')).toHaveLength(8);
    for (const name of names('head/')) expect(after[name], name).toEqual(start[name]);
    for (const name of names('fusion/autoencoder/transition/')) expect(after[name]).not.toEqual(start[name]);
  });

  it('says which shape it cannot reconstruct', () => {
    expect(() =>
      craFusion<Modality>({ ...options, inputShapes: { ...inputShapes, loud: [null, 4] } }, sizes),
    ).toThrow(/those of loud are of free length: \[free, 4\]/);
    expect(() => craFusion<Modality>(options, sizes)).toThrow(
      /of what shape those of loud are. Give `inputShapes`/,
    );
  });

  it('begins as its options say', () => {
    const deviation = (initialization: 'normal' | 'kaiming') => {
      const { layers } = craFusion<Modality>(
        { ...options, inputShapes },
        { ...sizes, units: [200], initialization },
      );
      const { layer } = layers.find(({ layer }) => layer.name === 'fusion/autoencoder/encoder-0/0')!;
      const values = layer.getWeights()[0]!.dataSync<'float32'>();
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(deviation('normal')).toBeCloseTo(0.02, 2);
    expect(deviation('kaiming') / Math.sqrt(2 / 10)).toBeCloseTo(1, 1);
  });
});
