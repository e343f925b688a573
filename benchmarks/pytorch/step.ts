// One program of the benchmark, in a process of its own: times a step of ours, or records its weights, batch and losses.
// The arguments are those of step.py.
import { parseArgs } from 'node:util';
import { loadTensorFlow } from '@g2d/native';
import { measureEpochs } from '../../packages/bench/src/measure-epochs.js';
import { measureStep } from '../../packages/bench/src/measure-step.js';
import { recordStep } from '../../packages/bench/src/record-step.js';
import { stepDatasetOf, type StepNetwork } from '../../packages/bench/src/step-datasets.js';
import type { StepSetup } from '../../packages/bench/src/step-setup.js';

const { values } = parseArgs({
  options: {
    network: { type: 'string', default: '' },
    batch: { type: 'string', default: '16' },
    method: { type: 'string', default: 'joint' },
    phase: { type: 'string', default: 'joint' },
    teachers: { type: 'string', default: 'none' },
    scope: { type: 'string', default: 'encoder' },
    bfloat16: { type: 'boolean', default: false },
    'teachers-bfloat16': { type: 'boolean', default: false },
    steps: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '2' },
    threads: { type: 'string', default: '' },
    losses: { type: 'string' },
    samples: { type: 'string' },
  },
});
// TensorFlow reads it when its library is loaded.
if (values.threads) process.env['TF_NUM_INTRAOP_THREADS'] = values.threads;
// Without TensorFlow's library the comparison would be one of something else.
await loadTensorFlow({ backend: 'tensorflow', quiet: true });

const network = JSON.parse(values.network) as StepNetwork;
const precisionOf = (bfloat16: boolean) => (bfloat16 ? 'bfloat16' : 'float32');
const setup: StepSetup = {
  dataset: stepDatasetOf(network),
  batch: Number(values.batch),
  method: values.method,
  phase: values.phase as StepSetup['phase'],
  teachers: values.teachers as StepSetup['teachers'],
  scope: values.scope as NonNullable<StepSetup['scope']>,
  prioritized: network.costliest,
  precision: precisionOf(values.bfloat16),
  teacherPrecision: precisionOf(values['teachers-bfloat16']),
  steps: Number(values.steps),
  warmup: Number(values.warmup),
};
console.log(JSON.stringify(await report()));

async function report() {
  const { losses, samples } = values;
  if (losses !== undefined) return { losses: await recordStep(setup, losses) };
  return samples === undefined ? measureStep(setup, () => {}) : measureEpochs(setup, Number(samples));
}
