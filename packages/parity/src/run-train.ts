import * as tf from '@tensorflow/tfjs-core';
import { studentLoss } from '@g2d/distill';
import {
  perModality,
  type Batch,
  type Gradients,
  type Method,
  type Outputs,
  type PerModality,
  type TeacherOutputs,
} from '@g2d/core';
import { g2dDistillation, modalityPrioritization, ogm, ogmGeWithNoise } from '@g2d/methods';
import { frozenTeachers } from '@g2d/trainer';
import { RunningMethods, TrainingContext, withStep } from '@g2d/trainer/internal';
import { modalities, type LabelledBatch, type Modality, type TrainCase, type TrainStep } from './case.js';
import type { Results } from './compare.js';
import type { EncoderPool } from './encoder-pool.js';
import { inputTensor } from './inputs.js';
import { gradientRows, parameterRows } from './record-parameters.js';
import {
  recordDistillation,
  recordFeatures,
  recordGradientNorms,
  recordLogits,
  recordModulation,
  recordNoiseNorms,
  recordPriority,
  recordTeacherLogits,
  type Recorder,
  type Series,
} from './record-step.js';
import type { Rows, Value } from './read-expected.js';
import { buildStudent, buildTeacher, type CaseModel } from './student.js';

/** What stays the same over the steps of a case. */
interface Run {
  readonly parityCase: TrainCase;
  readonly student: CaseModel<Modality>;
  readonly running: RunningMethods<Modality>;
  readonly training: TrainingContext<Modality>;
  /** What the methods made of the gradients of the last step. */
  readonly edited: () => Gradients<Modality>;
  readonly results: Map<string, Value | Rows>;
}

/**
 * The optimizer steps of a case, with the model, methods and optimizer that everybody trains with, then an evaluation.
 */
export async function runTrain(parityCase: TrainCase, pool: EncoderPool): Promise<Results> {
  const student = buildStudent(parityCase, pool);
  const teachers = parityCase.teachers && {
    audio: buildTeacher('audio', parityCase.teachers.audio, parityCase, pool),
    visual: buildTeacher('visual', parityCase.teachers.visual, parityCase, pool),
  };
  const frozen =
    teachers && frozenTeachers<Modality>({ audio: teachers.audio.model, visual: teachers.visual.model });
  const epochs = Math.max(...parityCase.steps.map(({ epoch }) => epoch)) + 1;
  let current = 0;
  const methods = methodsOf(parityCase, (variable) =>
    student.weights.noise(variable, {
      seed: parityCase.seed,
      step: current,
      scale: parityCase.ogm?.noiseScale,
    }),
  );
  let edited: Gradients<Modality> = [];
  const watcher: Method<Modality> = { name: 'watcher', edit: (gradients) => (edited = gradients) };
  const run: Run = {
    parityCase,
    student,
    running: new RunningMethods([...methods, watcher]),
    edited: () => edited,
    training: new TrainingContext(
      { model: student.model, epochs, teachers: frozen, batches: noBatches },
      parityCase.optimizer,
    ),
    results: new Map(),
  };
  try {
    await run.running.start(run.training);
    for (current = 0; current < parityCase.steps.length; current++) {
      // Lets timers and signals through: a step is synchronous.
      await tf.nextFrame();
      runStep(run, current);
    }
    const gradients = run.results.get('parameters') as Rows;
    const rows = parameterRows(parityCase, student.weights, run.training.optimizer, gradients);
    run.results.set('parameters', rows.parameters);
    run.results.set('buffers', rows.buffers);
    tf.tidy(() => evaluateLast(run));
  } finally {
    run.running.dispose();
    run.training.dispose();
    frozen?.dispose();
    for (const { dispose } of [student, ...Object.values(teachers ?? {})]) dispose();
  }
  return run.results;
}

/** A case brings its batches one by one; no method of a case asks for more. */
async function* noBatches(): AsyncGenerator<Batch<Modality>> {}

function methodsOf(
  { method, ogm: settings, g2d }: TrainCase,
  noise: (variable: string) => tf.Tensor,
): Method<Modality>[] {
  if (g2d) {
    const { alpha, beta, temperature, window } = g2d;
    return [
      g2dDistillation({ alpha, beta, temperature, featureReduction: 'mean' }),
      modalityPrioritization({ phaseEpochs: [window[1] + 1, 1], scope: 'conv', onZero: 'zero' }),
    ];
  }
  if (!settings) return [];
  const { alpha, window } = settings;
  const options = { alpha, epochs: [window[0] + 1, window[1] + 1], scope: 'conv' } as const;
  return [method === 'ogm' ? ogm(options) : ogmGeWithNoise(options, noise)];
}

/** Methods count epochs from 1. Before the window of G2D every modality trains, as in the joint phase after it. */
const epochOf = ({ g2d }: TrainCase, { epoch }: TrainStep): number =>
  g2d && epoch < g2d.window[0] ? g2d.window[1] + 2 : epoch + 1;

function batchOf({ seed, inputs }: TrainCase, { batchTag, labels }: LabelledBatch): Batch<Modality> {
  return {
    inputs: perModality(modalities, (modality) =>
      inputTensor(inputs[modality], { seed, batchTag, modality }),
    ),
    labels: tf.tensor1d([...labels], 'int32'),
    ids: labels.map((_, i) => `${batchTag}/${i}`),
  };
}

function runStep(run: Run, t: number): void {
  const { parityCase, student, running, training, results } = run;
  const given = parityCase.steps[t] as TrainStep;
  const batch = tf.tidy(() => batchOf(parityCase, given));
  withStep(training, running, { epoch: epochOf(parityCase, given), batchIndex: t, batch }, (step) => {
    // Before the plans, so by every parameter: the norms of what a method suppresses are compared too.
    const {
      losses,
      outputs,
      gradients: before,
    } = step.valueAndGrads(() => {
      const outputs = step.forward();
      return {
        loss: running.loss(outputs, step) ?? { total: studentLoss(batch.labels, outputs.logits) },
        outputs,
      };
    });
    step.plan();
    step.update(before, outputs);
    const after = run.edited();

    const record: Recorder = (name, quantity) => void results.set(`steps[${t}].${name}`, quantity);
    const labels = batch.labels as tf.Tensor1D;
    recordLogits(record, labels, outputs);
    recordFeatures(record, labels, outputs);
    record('lossTotal', losses['total'] as number);
    recordGradientNorms(record, before, after);
    const teacherOutputs = parityCase.teachers && step.teacherOutputs;
    recordMethod(record, parityCase, { outputs, teacherOutputs, before, after, series: step.series });
    if (t === 0) {
      results.set('parameters', gradientRows(parityCase, student.weights, before));
      if (teacherOutputs) recordTeacherLogits(record, teacherOutputs);
    }
  });
  tf.dispose(batch);
}

/** What only one method computes. */
function recordMethod(
  record: Recorder,
  { method, ogm, g2d, batch }: TrainCase,
  {
    outputs,
    teacherOutputs,
    before,
    after,
    series,
  }: {
    readonly outputs: Outputs<Modality>;
    readonly teacherOutputs: PerModality<Modality, TeacherOutputs> | undefined;
    readonly before: Gradients<Modality>;
    readonly after: Gradients<Modality>;
    readonly series: Series;
  },
): void {
  if (g2d && teacherOutputs) {
    recordDistillation(record, outputs, teacherOutputs, g2d.temperature);
    recordPriority(record, series, batch);
  }
  if (ogm) {
    recordModulation(record, series, ogm);
    // Outside of its window the method gives back the list that it got.
    const inWindow = after !== before;
    record('inWindow', inWindow);
    if (method === 'ogm-ge' && inWindow) {
      const coefficients = series['coefficients'] as PerModality<Modality, number>;
      recordNoiseNorms(record, { before, after, coefficients });
    }
  }
}

function evaluateLast({ parityCase, student, results }: Run): void {
  const { inputs, labels } = batchOf(parityCase, parityCase.evalBatch);
  const outputs = student.model.forward({ inputs }, { training: false });
  const record: Recorder = (name, value) => void results.set(`evalAfter.${name}`, value);
  recordLogits(record, labels as tf.Tensor1D, outputs);
}
