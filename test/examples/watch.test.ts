// examples/watch: its configuration fits the data of the repository, and trains on them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { readConfig } from '@g2d/runs';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildModel } from '../../packages/runs/src/build-model.js';
import { findDataset } from '../../packages/runs/src/components.js';
import { factsOf, modalitiesOf } from '../../packages/runs/src/modalities.js';
import { openData } from '../../packages/runs/src/open-data.js';
import { planModel } from '../../packages/runs/src/plan-model.js';
import { root } from './examples.js';

const before = process.cwd();
beforeAll(async () => {
  process.chdir(root);
  await loadTensorFlow({ quiet: true });
});
afterAll(() => process.chdir(before));

it('builds a Transformer for each sensor, and no subject is in two splits', async () => {
  const config = readConfig('examples/watch/small.json');
  const phases = config.methodOptions.smp?.phaseEpochs as readonly number[];
  expect(phases.reduce((sum, epochs) => sum + epochs, 0)).toBe(config.epochs);
  const data = await openData({ dataset: await findDataset(config.dataset), config });
  const subjects = [data.train, data.validation!, data.test].map(
    ({ ids }) => new Set(ids.map((id) => id.slice(0, 2))),
  );
  expect(subjects.map(({ size }) => size)).toEqual([6, 2, 2]);
  expect(new Set(subjects.flatMap((each) => [...each])).size).toBe(10);
  const modalities = modalitiesOf(config, data.train);
  expect(modalities).toEqual(['acceleration', 'rotation']);
  const { encoders } = await buildModel(await planModel(config, []), factsOf(modalities, data.train));
  for (const modality of modalities) {
    const { inputs } = await data.train.sample(5);
    const features = tf.tidy(
      () =>
        (
          encoders[modality]!.apply(tf.tensor3d(inputs[modality]!, [1, 100, 3])) as tf.Tensor
        ).arraySync() as number[][],
    );
    expect(features[0]).toHaveLength(32);
    expect(features[0]!.every(Number.isFinite)).toBe(true);
  }
  await data.close();
  tf.disposeVariables();
});

it('has the commands of its README where the configuration looks for its teachers', () => {
  const readme = readFileSync(join(root, 'examples/watch/README.md'), 'utf8');
  const { teachers } = readConfig(join(root, 'examples/watch/small.json'));
  for (const [modality, folder] of Object.entries(teachers!))
    expect(readme).toContain(
      `npx g2d train examples/watch/small.json --teacher ${modality} --out ${folder}\n`,
    );
});
