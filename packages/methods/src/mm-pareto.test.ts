// What the other tests leave out: the fusion that the method brings, regressions and missing modalities.
import * as tf from '@tensorflow/tfjs';
import { batches, missingModalities, type Batch } from '@g2d/datasets';
import { readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, optimizer, options, run, type Modality } from '../test/dense-toy.js';
import { mmPareto } from './mm-pareto.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const model = (classes = 3) => modelWith(mmPareto<Modality>().fusion!({ ...options, classes }));

describe('mmPareto', () => {
  it('brings a fused head on all features, and one for each modality beside it', () => {
    const names = [...model().state().keys()].filter((name) => /^(fusion|head)/.test(name));
    expect(names).toEqual([
      'fusion/fc_out/kernel',
      'fusion/fc_out/bias',
      'head/loud/kernel',
      'head/loud/bias',
      'head/quiet/kernel',
      'head/quiet/bias',
    ]);
    expect(model().toLayersModel().outputs).toHaveLength(3);
  });

  it('trains a regression', async () => {
    const regression = async function* () {
      for await (const batch of batches<Modality>(data, { batchSize: 20 }))
        yield { ...batch, labels: tf.mul<tf.Tensor1D>(tf.cast(batch.labels, 'float32'), 0.4) };
    };
    const log = await run(model(1), mmPareto(), { task: 'regression', epochs: 20, batches: regression });
    expect(log.at(-1)!.loss['student']).toBeLessThan(log[0]!.loss['student']! / 2);
    expect(log.at(-1)!.loss['loud']).toBeLessThan(log[0]!.loss['loud']!);
  });

  it('takes a modality’s loss over the samples that have it: computed apart', async () => {
    const partly = missingModalities(data, { rate: 0.3, seed: 0 });
    const all = () => batches<Modality>(partly as never, { batchSize: 60 });
    const [trained, expected] = [model(), model()];
    const log = await run(trained, mmPareto(), { batches: all });
    for await (const { inputs, labels, present } of all()) {
      const rows = [...present!.loud!.dataSync()].flatMap((value, i) => (value ? [i] : []));
      expect(rows.length).toBeLessThan(60);
      const { logits, unimodalLogits } = expected.forward({ inputs, present }, { training: true });
      const loss = (y: tf.Tensor, of: tf.Tensor): number =>
        tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(y, 'int32'), 3), of).dataSync()[0]!;
      expect(log[0]!.loss['student']).toBeCloseTo(loss(labels, logits), 5);
      const own = loss(tf.gather(labels, rows), tf.gather(unimodalLogits.loud, rows));
      expect(log[0]!.loss['loud']).toBeCloseTo(own, 5);
    }
  });

  it('leaves the encoder alone whose modality no sample of the batch has', async () => {
    const silent = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batches<Modality>(data, { batchSize: 20 })) {
        tf.dispose(batch.inputs.loud);
        const inputs = { quiet: batch.inputs.quiet } as Batch<Modality>['inputs'];
        yield { ...batch, inputs, present: { loud: tf.zeros([20]) } };
      }
    };
    const trained = model();
    const start = readState(trained);
    const log = await run(trained, mmPareto(), {
      batches: silent,
      optimizer: { ...optimizer, weightDecay: 0.1 },
    });
    const end = readState(trained);
    expect(end['loud/dense/kernel']).toEqual(start['loud/dense/kernel']);
    expect(end['quiet/dense/kernel']).not.toEqual(start['quiet/dense/kernel']);
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'student', 'quiet']);
    expect(log[0]!['multimodalWeight']).toEqual({ loud: NaN, quiet: expect.any(Number) });
  });
});
