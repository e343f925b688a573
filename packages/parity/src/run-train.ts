import * as tf from '@tensorflow/tfjs-core';
import { studentLoss, type TeacherOutputs } from '@g2d/distill';
import type { Outputs } from '@g2d/fusion';
import { perModality, type NamedGradient, type PerModality } from '@g2d/core';
import { SGD } from '@g2d/tensor-ops';
import { frozenTeachers, type Method, type Step } from '@g2d/trainer';
import { g2dDistillation, modalityPrioritization, ogm, ogmGe } from '@g2d/methods';
import { withStep, TrainingContext } from '@g2d/trainer/internal';
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
} from './record-step.js';
import type { Rows, Value } from './read-expected.js';
import { buildStudent, buildTeacher, type CaseModel } from './student.js';

/** What stays the same over the steps of a case. */
interface Run {
  readonly parityCase: TrainCase;
  readonly student: CaseModel<Modality>;
  readonly methods: readonly Method<Modality>[];
  readonly training: TrainingContext<Modality>;
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
  const optimizer = new SGD(student.model.variables, parityCase.optimizer);
  const epochs = Math.max(...parityCase.steps.map(({ epoch }) => epoch)) + 1;
  let current = 0;
  const run: Run = {
    parityCase,
    student,
    methods: methodsOf(parityCase, (variable) =>
      student.weights.noise(variable, {
        seed: parityCase.seed,
        step: current,
        scale: parityCase.ogm?.noiseScale,
      }),
    ),
    training: new TrainingContext(
      { model: student.model, epochs, teachers: frozen, batches: noBatches },
      optimizer,
    ),
    results: new Map(),
  };
  try {
    for (const method of run.methods) await method.onTrainStart?.(run.training);
    for (current = 0; current < parityCase.steps.length; current++) {
      // Lets timers and signals through: a step is synchronous.
      await tf.nextFrame();
      runStep(run, current);
    }
    const gradients = run.results.get('parameters') as Rows;
    const rows = parameterRows(parityCase, student.weights, optimizer, gradients);
    run.results.set('parameters', rows.parameters);
    run.results.set('buffers', rows.buffers);
    tf.tidy(() => evaluateLast(run));
  } finally {
    optimizer.dispose();
    frozen?.dispose();
    for (const { dispose } of [student, ...Object.values(teachers ?? {})]) dispose();
  }
  return run.results;
}

/** A case brings its batches one by one; no method of a case asks for more. */
async function* noBatches(): AsyncGenerator<Step<Modality>['batch']> {}

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
  return [method === 'ogm' ? ogm(options) : ogmGe({ ...options, seed: 0, noise })];
}

/** Methods count epochs from 1. Before the window of G2D every modality trains, as in the joint phase after it. */
const epochOf = ({ g2d }: TrainCase, { epoch }: TrainStep): number =>
  g2d && epoch < g2d.window[0] ? g2d.window[1] + 2 : epoch + 1;

function batchOf({ seed, inputs }: TrainCase, { batchTag, labels }: LabelledBatch): Step<Modality>['batch'] {
  return {
    inputs: perModality(modalities, (modality) =>
      inputTensor(inputs[modality], { seed, batchTag, modality }),
    ),
    labels: tf.tensor1d([...labels], 'int32'),
    ids: labels.map((_, i) => `${batchTag}/${i}`),
  };
}

function runStep(run: Run, t: number): void {
  const { parityCase, student, methods, training, results } = run;
  const { model, optimizer } = training;
  const given = parityCase.steps[t] as TrainStep;
  const batch = tf.tidy(() => batchOf(parityCase, given));
  withStep(training, methods, { epoch: epochOf(parityCase, given), batchIndex: t, batch }, (step) => {
    for (const method of methods) method.onStepStart?.(step);
    let kept: Outputs<Modality> | undefined;
    // Every gradient, also of what a method suppresses: the norms before it are compared too.
    const { loss, gradients: before } = step.differentiate(() => {
      kept = step.forward();
      const owner = methods.find((method) => method.loss);
      return owner?.loss?.(step, kept) ?? { total: studentLoss(batch.labels, kept.logits) };
    });
    const outputs = kept as unknown as Outputs<Modality>;
    const after = methods.reduce<readonly NamedGradient[]>(
      (gradients, method) => method.afterBackward?.(gradients, step, outputs) ?? gradients,
      before,
    );

    const record: Recorder = (name, quantity) => void results.set(`steps[${t}].${name}`, quantity);
    recordLogits(record, batch.labels, outputs);
    recordFeatures(record, batch.labels, outputs);
    record('lossTotal', loss['total'] as number);
    recordGradientNorms(record, before, after, model);
    const teacherOutputs = parityCase.teachers && step.teachers;
    recordMethod(record, run, { outputs, teacherOutputs, before, after });
    if (t === 0) {
      results.set('parameters', gradientRows(parityCase, student.weights, before));
      if (teacherOutputs) recordTeacherLogits(record, teacherOutputs);
    }
    optimizer.applyGradients(after);
  });
  tf.dispose(batch);
}

/** What only one method computes. */
function recordMethod(
  record: Recorder,
  { parityCase, student, methods }: Run,
  {
    outputs,
    teacherOutputs,
    before,
    after,
  }: {
    readonly outputs: Outputs<Modality>;
    readonly teacherOutputs: PerModality<Modality, TeacherOutputs> | undefined;
    readonly before: readonly NamedGradient[];
    readonly after: readonly NamedGradient[];
  },
): void {
  const { method, ogm, g2d, batch } = parityCase;
  const last = methods.at(-1) as Method<Modality>;
  if (g2d && teacherOutputs) {
    recordDistillation(record, outputs, teacherOutputs, g2d.temperature);
    recordPriority(record, last, batch);
  }
  if (ogm) {
    recordModulation(record, last, ogm);
    // Outside of its window the method gives back the list that it got.
    const inWindow = after !== before;
    record('inWindow', inWindow);
    if (method === 'ogm-ge' && inWindow) {
      const coefficients = last.stepLog?.()['coefficients'] as PerModality<Modality, number>;
      recordNoiseNorms(record, { before, after, coefficients, model: student.model });
    }
  }
}

function evaluateLast({ parityCase, student, results }: Run): void {
  const { inputs, labels } = batchOf(parityCase, parityCase.evalBatch);
  const outputs = student.model.forward(inputs, { training: false });
  recordLogits((name, value) => void results.set(`evalAfter.${name}`, value), labels, outputs);
}
