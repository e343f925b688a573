import { hasConvolutions, networks } from './networks.js';
import type { StepNetwork } from '../../packages/bench/src/step-datasets.js';

/** A program that measures a step in a process of its own and prints JSON. */
export interface Program {
  readonly name: string;
  readonly side: 'ours' | 'pytorch';
  readonly network: StepNetwork;
  /** Arguments of step.ts or step.py, beside sizes. */
  readonly args: readonly string[];
  /** In place of those that all programs have. */
  readonly sizes?: { readonly batch?: number; readonly threads?: number };
}

/** One side of a comparison. Several programs are averaged: they are phases that last equally long. */
export interface Side {
  readonly name: string;
  readonly programs: readonly Program[];
}

/** Ours over something else, both measured in the same rounds. */
export interface Comparison {
  /** As `--dataset` takes it. */
  readonly dataset: string;
  readonly name: string;
  readonly ours: Side;
  /** The fastest of them counts. */
  readonly against: readonly Side[];
  /** What we hold ourselves to with batch 16, at most: the ratio of times, and that of memory. */
  readonly goal?: number;
  readonly memoryGoal?: number;
}

/** Of the joint step, against PyTorch's faster layout. */
const JOINT_GOALS: Readonly<Record<string, number>> = {
  'av-mnist': 0.7,
  'ur-funny': 0.75,
  iemocap: 0.85,
  'mis-me': 0.7,
  'crema-d': 0.6,
  'vgg-sound': 0.65,
};
const MEMORY_GOAL = 1;
/**
 * Multiplications of a step of the prioritized phase, by those of a joint step: what SMP can save where the costliest modality trains.
 * `npx g2d bench step --operations`, without and with `--method g2d --phase prioritized --teachers cached --scope encoder`.
 */
const MULTIPLICATIONS: Readonly<Record<string, number>> = {
  'av-mnist': 0.956,
  'ur-funny': 0.557,
  iemocap: 0.723,
  'mis-me': 1,
  'crema-d': 0.668,
  'vgg-sound': 0.755,
};
/** Where half of the cost rests: of the prioritized phase, against our joint step, and of a training half of which is that. */
const HALF_RESTS = 0.67;
const PRIORITIZED_GOAL = 0.68;
const SCHEDULE_GOAL = 0.85;
/** What a phase of G2D may cost beyond what it multiplies: the teachers' losses. */
const MORE = 1.03;

function phaseGoals(dataset: string): { readonly prioritized: number; readonly schedule: number } {
  const share = MULTIPLICATIONS[dataset] as number;
  if (share <= HALF_RESTS) return { prioritized: PRIORITIZED_GOAL, schedule: SCHEDULE_GOAL };
  const hundredths = (goal: number): number => Math.round(100 * goal) / 100;
  return { prioritized: hundredths(MORE * share), schedule: hundredths((MORE * (1 + share)) / 2) };
}

/** A dataset's programs, made as they are asked for. */
function programsFor(dataset: string) {
  const network = networks[dataset] as StepNetwork;
  const { title } = network;
  const program = (side: Program['side'], name: string, args: readonly string[]): Program => ({
    name: `${title}, ${side === 'ours' ? 'ours' : 'PyTorch'}: ${name}`,
    side,
    network,
    args,
  });
  const g2d = (phase: string, teachers: string): string[] => [
    '--method',
    'g2d',
    '--phase',
    phase,
    '--teachers',
    teachers,
  ];
  return {
    network,
    ours: (name: string, ...args: string[]) => program('ours', name, args),
    /** In one layout, or if it is a question in both. */
    layouts: (name: string, ...args: string[]): Side[] =>
      (hasConvolutions(network) ? ['channels last', 'NCHW'] : ['']).map((layout) => ({
        name: layout ? `PyTorch, ${layout}` : 'PyTorch',
        programs: [
          program('pytorch', layout ? `${name}, ${layout}` : name, [
            ...args,
            ...(layout === 'NCHW' ? ['--layout', 'nchw'] : []),
          ]),
        ],
      })),
    pytorch: (name: string, ...args: string[]) => program('pytorch', name, args),
    g2d,
  };
}

type Group = (dataset: string) => readonly Comparison[];

const joint: Group = (dataset) => {
  const { ours, layouts } = programsFor(dataset);
  return [
    {
      dataset,
      name: 'joint step',
      ours: { name: 'ours', programs: [ours('joint')] },
      against: layouts('joint'),
      goal: JOINT_GOALS[dataset] as number,
      memoryGoal: MEMORY_GOAL,
    },
  ];
};

const phases: Group = (dataset) => {
  const { ours, pytorch, g2d } = programsFor(dataset);
  const [prioritized, last] = (['prioritized', 'joint'] as const).map((phase) =>
    ours(`G2D, ${phase} phase`, ...g2d(phase, 'cached'), '--scope', 'encoder'),
  ) as [Program, Program];
  const ourJoint: Side = { name: 'our joint step', programs: [ours('joint')] };
  const twins = (['prioritized', 'joint'] as const).map((phase) =>
    pytorch(`G2D, ${phase} phase`, ...g2d(phase, 'cached'), '--scope', 'encoder'),
  );
  const whole: Side = { name: 'ours', programs: [prioritized, last] };
  return [
    {
      dataset,
      name: 'G2D, prioritized phase',
      ours: { name: 'ours', programs: [prioritized] },
      against: [ourJoint],
      goal: phaseGoals(dataset).prioritized,
    },
    {
      dataset,
      name: 'G2D, 300 epochs',
      ours: whole,
      against: [ourJoint],
      goal: phaseGoals(dataset).schedule,
    },
    {
      dataset,
      name: 'G2D, 300 epochs',
      ours: whole,
      against: [{ name: "PyTorch's", programs: twins }],
    },
  ];
};

/** G2D with teachers that run in every step, next to the released code's way: NCHW, convolutions' gradients multiplied by 0 or 1. */
const online: Group = (dataset) => {
  const { ours, pytorch, g2d } = programsFor(dataset);
  const released: Side = {
    name: "PyTorch, the released code's way, NCHW",
    programs: (['prioritized', 'joint'] as const).map((phase) =>
      pytorch(`G2D online, ${phase} phase`, ...g2d(phase, 'online'), '--scope', 'conv', '--layout', 'nchw'),
    ),
  };
  return (['encoder', 'conv'] as const).map((scope) => ({
    dataset,
    name: `G2D, teachers online, scope ${scope}`,
    ours: {
      name: 'ours',
      programs: (['prioritized', 'joint'] as const).map((phase) =>
        // In the joint phase no scope matters, so that it is measured once.
        phase === 'joint'
          ? ours('G2D online, joint phase', ...g2d(phase, 'online'))
          : ours(`G2D online, prioritized phase, ${scope}`, ...g2d(phase, 'online'), '--scope', scope),
      ),
    },
    against: [released],
    ...(scope === 'encoder' && { goal: 0.7 }),
  }));
};

const bfloat16: Group = (dataset) => {
  const { ours, pytorch } = programsFor(dataset);
  return [
    {
      dataset,
      name: 'joint step, bfloat16',
      ours: { name: 'ours', programs: [ours('joint, bfloat16', '--bfloat16')] },
      against: [
        { name: 'PyTorch, autocast to bfloat16', programs: [pytorch('joint, bfloat16', '--bfloat16')] },
      ],
      goal: 1,
    },
  ];
};

/** The groups about what a step does. */
export const comparisons: Readonly<Record<string, Group>> = { joint, phases, online, bfloat16 };

/** What is to compute the same before it is timed: a program of ours and PyTorch's. */
export interface Twins {
  readonly ours: Program;
  readonly twin: Program;
}

/** The twins that a group times: joint steps, or G2D's prioritized phase, whose gradients are a part of the second loss. */
export function twinsOf(group: string, dataset: string): Twins {
  const { ours, pytorch, g2d } = programsFor(dataset);
  if (group !== 'phases' && group !== 'online') return { ours: ours('joint'), twin: pytorch('joint') };
  const args = [...g2d('prioritized', 'cached'), '--scope', group === 'online' ? 'conv' : 'encoder'];
  return {
    ours: ours('G2D, prioritized phase', ...args),
    twin: pytorch('G2D, prioritized phase', ...args),
  };
}

/** Every program that comparisons need, once. */
export function programsOf(chosen: readonly Comparison[]): Program[] {
  const all = chosen.flatMap(({ ours, against }) => [ours, ...against].flatMap(({ programs }) => programs));
  return [...new Map(all.map((program) => [program.name, program])).values()];
}
