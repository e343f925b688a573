import type { Task } from '@g2d/datasets';
import type { MultimodalModel } from '@g2d/fusion';
import { deriveSeed, OptionError, randomStream, type Optimizer } from '@g2d/tensor-ops';
import type { FrozenTeachers } from './frozen-teachers.js';
import type { Training } from './method.js';

/** What the steps of a training share, for the methods' hooks. */
export function createTraining<M extends string>(
  {
    model,
    epochs,
    teachers,
    task = 'classification',
    seed = 0,
  }: {
    readonly model: MultimodalModel<M>;
    readonly epochs: number;
    readonly teachers?: FrozenTeachers<M> | undefined;
    readonly task?: Task;
    readonly seed?: number;
  },
  optimizer: Optimizer,
): Training<M> {
  return {
    model,
    task,
    epochs,
    optimizer,
    random: (name) => randomStream(deriveSeed(seed, name)),
    get frozenTeachers() {
      if (teachers) return teachers;
      throw new OptionError('A method asks for the teachers, but this run has none; pass `teachers`.', {
        option: 'teachers',
        value: undefined,
        accepted: 'frozenTeachers({ … })',
      });
    },
  };
}
