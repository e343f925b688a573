// What every fusion promises, whatever its formula.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { cases, modelOf as model, numbersOf } from '../test/fusions.js';
import { lateFusion } from './late-fusion.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const inputs = (modalities: readonly string[]) => numbersOf(modalities, [2, 3]);

describe.each(cases)('%s fusion of %j', (_, modalities, build) => {
  it('gives fused and unimodal logits of every sample, alike in one pass and one by one', () => {
    const student = model(modalities, build);
    const x = inputs(modalities);
    const { logits, unimodalLogits } = student.forward({ inputs: x }, { training: false });
    expect(logits.shape).toEqual([2, 6]);
    const features = Object.fromEntries(
      modalities.map((modality) => [modality, student.encode(modality, x[modality]!, { training: false })]),
    );
    expectTensorClose(student.fuse(features), logits, { atol: 0 });
    const alone = student.unimodalLogits(features);
    expect(Object.keys(alone)).toEqual(modalities);
    for (const modality of modalities) {
      expectTensorClose(alone[modality]!, unimodalLogits[modality]!, { atol: 0 });
      expect(alone[modality]!.shape).toEqual([2, 6]);
    }
  });

  it('trains every variable through the fused logits', () => {
    const student = model(modalities, build);
    const x = inputs(modalities);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(student.forward({ inputs: x }, { training: true }).logits)) as tf.Scalar,
      student.variables as tf.Variable[],
    );
    expect(Object.keys(grads).sort()).toEqual(student.variables.map(({ name }) => name).sort());
    for (const gradient of Object.values(grads)) {
      expect(tf.sum(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
    }
  });

  it('leaves no tensor behind', () => {
    const student = model(modalities, build);
    const x = inputs(modalities);
    expectNoLeak(() => ({ ...student.forward({ inputs: x }, { training: false }) }));
    expectNoLeak(() => ({ ...student.forward({ inputs: x }, { training: true }) }));
    const { features } = model(modalities, lateFusion).forward({ inputs: x }, { training: false });
    expectNoLeak(() => student.fuse(features));
    expectNoLeak(() => student.unimodalLogits(features));
    const loss = () => tf.mean(student.forward({ inputs: x }, { training: true }).logits) as tf.Scalar;
    expectNoLeak(() => tf.variableGrads(loss, student.variables as tf.Variable[]) as unknown as object);
  });

  it('has every trainable variable in one group', () => {
    const student = model(modalities, build);
    const groups = student.groups();
    expect([...groups.keys()]).toEqual(student.variables.map(({ name }) => name));
    const expected = student.variables.map(({ name }) => {
      const owner = modalities.find((modality) => name.startsWith(`${modality}/`));
      const { modality } = groups.get(name)!;
      return owner ? { modality: owner, role: 'encoder' } : { modality, role: modality ? 'head' : 'shared' };
    });
    expect([...groups.values()]).toEqual(expected);
    const count = (role: string) => [...groups.values()].filter((group) => group.role === role).length;
    expect(count('encoder') + count('head') + count('shared')).toBe(student.variables.length);
  });

  it('exports standard layers that share the weights, and load with the same numbers', async () => {
    const student = model(modalities, build);
    const exported = student.toLayersModel();
    expect(exported.trainableWeights).toHaveLength(student.variables.length);
    let saved: tf.io.ModelArtifacts | undefined;
    await exported.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    // Through text, as in a file.
    const modelTopology = JSON.parse(JSON.stringify(saved!.modelTopology)) as object;
    const loaded = await tf.loadLayersModel(tf.io.fromMemory({ ...saved!, modelTopology }));
    const x = inputs(modalities);
    const all = [loaded.predict(modalities.map((modality) => x[modality]!))].flat() as tf.Tensor[];
    const { logits, unimodalLogits } = student.forward({ inputs: x }, { training: false });
    const expected = [logits, ...(modalities.length > 1 ? Object.values(unimodalLogits) : [])];
    expect(all).toHaveLength(expected.length);
    expected.forEach((tensor, i) => expectTensorClose(all[i]!, tensor, { atol: 1e-5, rtol: 1e-6 }));
    // A second export does not disturb the first.
    expect(student.toLayersModel().outputs).toHaveLength(expected.length);
  });
});
