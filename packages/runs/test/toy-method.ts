// A method of a user's own, in one file.
import { defineMethod, type Hooks } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';

const options = z.strictObject({
  weight: z.number().min(0).default(0.1).describe('of the penalty on large logits'),
  after: z.int().min(0).describe('epochs without it'),
});

export default defineMethod({
  name: 'calm',
  label: 'Calm logits',
  summary: 'large logits cost something',
  options,
  create: <M extends string>({ weight, after }: z.output<typeof options>): Hooks<M, { steps: number }> => ({
    init: () => ({ steps: 0 }),
    loss({ logits }, step, state) {
      state.steps += 1;
      const student = step.taskLoss(logits);
      if (step.epoch <= after) return { total: student, student };
      const penalty = tf.mul<tf.Scalar>(tf.mean(tf.square(logits)), weight);
      return { total: tf.add<tf.Scalar>(student, penalty), student, penalty };
    },
  }),
});
