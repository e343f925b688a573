import type { Method } from '@g2d/trainer';

/**
 * Linear probe: the encoders stay as they are, in inference mode, and only the fusion trains. What joint heads can make of
 * features that were learned apart: load the teachers' encoders before.
 *
 * @example
 * await train({ model, methods: [linearProbe()], … });
 * @see G2D, Sec. 4
 */
export function linearProbe<M extends string>(): Method<M> {
  let isHead: (variable: string) => boolean;
  return {
    name: 'linear-probe',
    onTrainStart({ model }) {
      const heads = new Set(
        [...model.groups()]
          .filter(([, { role }]) => role === 'head' || role === 'shared')
          .map(([name]) => name),
      );
      isHead = (variable) => heads.has(variable);
    },
    encoderTraining: () => false,
    activeVariables: (variables) => variables.filter(({ name }) => isHead(name)),
  };
}
