import { SMALL_AV_MNIST } from './networks.js';
import type { Comparison, Program, Side, Twins } from './programs.js';

/** As examples/av-mnist-small trains. */
const SAMPLES = '1000';
const SIZES = { batch: 64 };
const SCOPE = ['--scope', 'conv'];
const [PRIORITIZED, LAST] = ['prioritized', 'joint'].map((phase) =>
  ['--method', 'g2d', '--phase', phase, '--teachers', 'cached'].concat(SCOPE),
) as [string[], string[]];

const program = (side: Program['side'], name: string, args: readonly string[]): Program => ({
  name: `${SMALL_AV_MNIST.title}, ${side === 'ours' ? 'ours' : 'PyTorch'}: ${name}`,
  side,
  network: SMALL_AV_MNIST,
  args,
});

/** The same without the number of samples: steps from the same weights. */
export const epochTwins: Twins = {
  ours: program('ours', 'G2D, prioritized phase', PRIORITIZED),
  twin: program('pytorch', 'G2D, prioritized phase', PRIORITIZED),
};

/** An epoch of `npm start`: of its joint training, and the mean of G2D's two phases. It stands for AV-MNIST. */
export function epoch(dataset: string): readonly Comparison[] {
  if (dataset !== 'av-mnist') return [];
  const epochOf = (side: Program['side'], name: string, args: readonly string[]): Program => ({
    ...program(side, `an epoch of ${name}`, [...args, '--samples', SAMPLES]),
    sizes: SIZES,
  });
  const side = (of: Program['side'], programs: readonly (readonly [string, readonly string[]])[]): Side => ({
    name: of === 'ours' ? 'ours' : 'PyTorch',
    programs: programs.map(([name, args]) => epochOf(of, name, args)),
  });
  const compared = [
    ['an epoch of joint training', [['joint training', []]]],
    [
      'an epoch of G2D',
      [
        ['G2D, prioritized phase', PRIORITIZED],
        ['G2D, joint phase', LAST],
      ],
    ],
  ] as const;
  return compared.map(([name, programs]) => ({
    dataset: SMALL_AV_MNIST.title,
    name,
    ours: side('ours', programs),
    against: [side('pytorch', programs)],
  }));
}
