import * as tf from '@tensorflow/tfjs';
import { batches, missingModalities } from '@g2d/datasets';
import { concatMlpFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { frozenTeachers, readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { imaginationTarget, mmin } from './mmin.js';
import { mminFusion, type ImaginedOutputs } from './mmin-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const sizes = { units: [4, 3], blocks: 2, hidden: [5], dropout: 0, initialization: 'xavier' } as const;
const fusion = (shareWeights = false) => mminFusion<Modality>(options, { ...sizes, shareWeights });
const masked = missingModalities(data, { rate: 0.3, seed: 1, inputs: 'complete' });
const hidden = { batches: (epoch: number) => batches(masked, { batchSize: 20, epoch }) as never };
/** With other encoders than a new student has. */
const teacherModel = async () => {
  const teacher = modelWith(concatMlpFusion({ ...options, hidden: [6] }));
  await run(teacher, { name: 'joint' }, { epochs: 2 });
  return teacher;
};

describe('imaginationTarget', () => {
  it('is what the teacher sees in what is hidden, and in zeros for the rest', async () => {
    const teacher = await teacherModel();
    const x = { loud: tf.randomNormal([2, 4]), quiet: tf.randomNormal([2, 4]) };
    const present = { loud: tf.tensor1d([1, 0]), quiet: tf.tensor1d([1, 1]) };
    const spoilt = { ...x, quiet: tf.mul(tf.ones([2, 4]), NaN) };
    const target = imaginationTarget(teacher, {
      batch: { inputs: spoilt, present, labels: tf.tensor1d([0, 1], 'int32'), ids: ['a', 'b'] },
      model: teacher,
    });
    const seen = (m: Modality, input: tf.Tensor) => teacher.encode(m, input, { training: false });
    const hiddenOnly = tf.concat([tf.zeros([1, 4]), tf.slice(x.loud, [1, 0], [1, 4])]);
    expectTensorClose(target, tf.concat([seen('loud', hiddenOnly), seen('quiet', tf.zeros([2, 4]))], 1), {
      atol: 1e-6,
    });
  });
});

describe('mmin', () => {
  it('begins with the teacher’s encoders, and leaves the teacher alone', async () => {
    const teacher = await teacherModel();
    const [before, student] = [readState(teacher), modelWith(fusion())];
    expect(readState(student)['loud/dense/kernel']).not.toEqual(before['loud/dense/kernel']);
    const teachers = frozenTeachers({}, { full: teacher });
    const method = mmin<Modality>({ ...sizes, taskWeight: 0, imaginationWeight: 0, cycleWeight: 0 });
    await run(student, method, { ...hidden, teachers, optimizer: { learningRate: 0.1 } });
    expect(readState(student)['loud/dense/kernel']).toEqual(before['loud/dense/kernel']);
    await run(student, mmin(sizes), { ...hidden, teachers });
    expect(readState(student)['loud/dense/kernel']).not.toEqual(before['loud/dense/kernel']);
    expect(readState(teacher)).toEqual(before);
  });

  it('lowers all parts of its loss', async () => {
    const teachers = frozenTeachers({}, { full: await teacherModel() });
    const optimizer = { type: 'adam', learningRate: 0.01, betas: [0.5, 0.999] } as const;
    const log = await run(modelWith(fusion()), mmin(sizes), { ...hidden, teachers, optimizer, epochs: 30 });
    for (const part of ['student', 'imagination', 'cycle'])
      expect(log.at(-1)!.loss[part], part).toBeLessThan(log[0]!.loss[part]! * 0.9);
  });

  it('has the cycle train no encoder by its target', () => {
    const model = modelWith(fusion());
    const inputs = { loud: tf.randomNormal([4, 4]), quiet: tf.randomNormal([4, 4]) };
    const step = {
      share: () => 1,
      taskLoss: () => tf.scalar(0),
      teachers: { full: () => model },
      batch: { inputs, ids: ['a', 'b', 'c', 'd'] },
      model,
    };
    // With an autoencoder that gives zeros, h″ does not depend on h, and neither does the loss.
    for (const { name, variable } of model.parameters)
      if (name.startsWith('fusion/cycle/transition/1')) variable.assign(tf.zerosLike(variable));
    const { grads } = tf.variableGrads(() => {
      const outputs = model.forward({ inputs }, { training: false }) as ImaginedOutputs<Modality>;
      const given = mmin<Modality>({ ...sizes, imaginationWeight: 0 });
      return given.loss!(outputs, step as never, undefined).total;
    }, [...model.variables]);
    const encoders = model.parameters.filter(({ role }) => role !== 'shared');
    expect(encoders).toHaveLength(8);
    for (const { name, variable } of encoders)
      expect(tf.max(tf.abs(grads[variable.name]!)).dataSync()[0], name).toBe(0);
  });

  it('has one autoencoder where weights are shared', () => {
    const names = (shared: boolean) => fusion(shared).layers.map(({ layer }) => layer.name);
    expect(names(false).filter((name) => name.startsWith('fusion/cycle/'))).toHaveLength(10);
    expect(names(true).filter((name) => name.startsWith('fusion/cycle/'))).toEqual([]);
    expect(names(true)).toHaveLength(names(false).length - 10);
  });

  it('refuses a teacher with other encoders', async () => {
    const wide = modelWith(
      concatMlpFusion({ widths: { loud: 6, quiet: 5 }, classes: 3, seed: 0, hidden: [6] }),
    );
    const teachers = frozenTeachers({}, { full: wide });
    await expect(run(modelWith(fusion()), mmin(sizes), { ...hidden, teachers })).rejects.toThrow(
      /loud\/dense/,
    );
  });
});
