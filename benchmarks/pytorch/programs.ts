/** One side of a comparison: a program that measures a step in a process of its own and prints JSON. */
export interface Program {
  readonly name: string;
  readonly side: 'ours' | 'pytorch';
  /** Arguments of `g2d bench step`, or of `step.py`. */
  readonly args: readonly string[];
}

/** Ours over something else, both measured in the same rounds. */
export interface Comparison {
  readonly name: string;
  /** Several programs are averaged. */
  readonly ours: readonly Program[];
  readonly against: Program;
  /** What we hold ourselves to, at most, for CREMA-D with batch 16: the ratio of times, and that of memory. */
  readonly goal?: number;
  readonly memoryGoal?: number;
}

const ours = (name: string, ...args: string[]): Program => ({ name: `ours: ${name}`, side: 'ours', args });
const pytorch = (name: string, ...args: string[]): Program => ({
  name: `PyTorch: ${name}`,
  side: 'pytorch',
  args,
});

const joint = ours('joint');
const channelsLast = pytorch('joint, channels last', '--layout', 'channels-last');
const nchw = pytorch('joint, NCHW', '--layout', 'nchw');

const cached = ['--method', 'g2d', '--phase', 'prioritized', '--teachers', 'cached'];
const cachedEncoder = ours('G2D prioritized, cached, encoder', ...cached, '--scope', 'encoder');
const cachedConv = ours('G2D prioritized, cached, conv', ...cached, '--scope', 'conv');

const released = pytorch('G2D, teachers online, NCHW', '--method', 'g2d', '--layout', 'nchw');
/** G2D with teachers that run in every step: the two phases, each of which lasts half of the schedule (150, 150). */
const online = (scope: string, precision: 'float32' | 'bfloat16'): Program[] => {
  const teachers = ['--method', 'g2d', '--teachers', 'online', '--teacher-precision', precision];
  const kind = precision === 'bfloat16' ? 'online bfloat16' : 'online';
  return [
    // The same for every scope, so it is measured once.
    ours(`G2D joint phase, ${kind}`, ...teachers, '--phase', 'joint'),
    ours(`G2D prioritized, ${kind}, ${scope}`, ...teachers, '--phase', 'prioritized', '--scope', scope),
  ];
};

/** The groups of `--only`. */
export const comparisons: Readonly<Record<string, readonly Comparison[]>> = {
  joint: [
    {
      name: 'joint / PyTorch channels last',
      ours: [joint],
      against: channelsLast,
      goal: 0.95,
      memoryGoal: 1.1,
    },
    { name: 'joint / PyTorch NCHW', ours: [joint], against: nchw, goal: 0.85, memoryGoal: 1.1 },
  ],
  prioritized: [
    { name: 'G2D prioritized (encoder) / our joint', ours: [cachedEncoder], against: joint, goal: 0.68 },
    { name: 'G2D prioritized (conv) / our joint', ours: [cachedConv], against: joint, goal: 0.85 },
  ],
  online: [
    {
      name: 'G2D online (encoder) / PyTorch G2D NCHW',
      ours: online('encoder', 'float32'),
      against: released,
      goal: 0.7,
    },
    { name: 'G2D online (conv) / PyTorch G2D NCHW', ours: online('conv', 'float32'), against: released },
  ],
  bfloat16: [
    {
      name: 'joint bfloat16 / PyTorch bfloat16',
      ours: [ours('joint, bfloat16', '--precision', 'bfloat16')],
      against: pytorch('joint, channels last, bfloat16', '--layout', 'channels-last', '--bfloat16'),
    },
    {
      name: 'G2D online bfloat16 (encoder) / PyTorch G2D NCHW',
      ours: online('encoder', 'bfloat16'),
      against: released,
      goal: 0.6,
    },
  ],
};

/** Every program that comparisons need, once. */
export function programsOf(chosen: readonly Comparison[]): Program[] {
  const all = chosen.flatMap(({ ours, against }) => [...ours, against]);
  return [...new Map(all.map((program) => [program.name, program])).values()];
}
