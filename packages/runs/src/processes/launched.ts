import { OptionError } from '@g2d/core';

/** What a process knows of the others that were started with it. */
export interface Launch {
  /** Which of them this one is, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly processes: number;
  /** The same in all of them, and another one with every start; `undefined` where nobody says it. */
  readonly start: string | undefined;
  /** `host:port` of each, where somebody has settled them. */
  readonly addresses: readonly string[] | undefined;
  /** The name or address by which the others reach this one. */
  readonly host: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A program that starts processes, and in which variables it tells them who they are. */
interface Launcher {
  readonly rank: string;
  readonly processes: string;
  readonly start: (env: Environment) => string | undefined;
}

const joined = (...parts: readonly (string | undefined)[]): string | undefined =>
  parts[0] === undefined ? undefined : parts.map((part) => part ?? '0').join('.');

const slurmStart = (env: Environment): string | undefined =>
  joined(env['SLURM_JOB_ID'], env['SLURM_STEP_ID'], env['SLURM_RESTART_COUNT']);

/** Who is asked first. A launcher within a launcher comes before it. */
const LAUNCHERS: readonly Launcher[] = [
  { rank: 'G2D_RANK', processes: 'G2D_PROCESSES', start: (env) => env['G2D_START'] },
  {
    rank: 'OMPI_COMM_WORLD_RANK',
    processes: 'OMPI_COMM_WORLD_SIZE',
    start: (env) => env['PMIX_NAMESPACE'] ?? env['OMPI_MCA_ess_base_jobid'] ?? slurmStart(env),
  },
  // Not SLURM_NTASKS, which the script of a job has too, where nothing else runs beside it.
  { rank: 'SLURM_PROCID', processes: 'SLURM_STEP_NUM_TASKS', start: slurmStart },
  { rank: 'PMI_RANK', processes: 'PMI_SIZE', start: (env) => env['PMI_JOBID'] ?? slurmStart(env) },
  {
    rank: 'RANK',
    processes: 'WORLD_SIZE',
    start: (env) =>
      joined(env['TORCHELASTIC_RUN_ID'], env['TORCHELASTIC_RESTART_COUNT']) ??
      joined(env['MASTER_ADDR'], env['MASTER_PORT']),
  },
];

/**
 * Reads from the environment whether this process is one of several that train a run together: started by `g2d train --processes`, by srun,
 * mpirun, torchrun, or by anything that sets `G2D_RANK` and `G2D_PROCESSES`.
 *
 * @returns `undefined` for a process that is alone.
 * @throws {OptionError} If the variables say what cannot be.
 */
export function launched(env: Environment = process.env): Launch | undefined {
  const launcher = LAUNCHERS.find(({ rank, processes }) => env[rank] && env[processes]);
  const half = LAUNCHERS[0] as Launcher;
  if (launcher !== half && (env[half.rank] || env[half.processes])) {
    throw new OptionError(
      `Of ${half.rank} and ${half.processes} only one is set. Set both, or none for a run in one process.`,
      { option: half.rank, value: env[half.rank], accepted: 'both or none' },
    );
  }
  if (!launcher) return undefined;
  const processes = numberOf(env, launcher.processes, 1, MOST_PROCESSES);
  if (processes === 1) return undefined;
  const rank = numberOf(env, launcher.rank, 0, processes - 1);
  const addresses = env['G2D_ADDRESSES'] ? addressesOf(env['G2D_ADDRESSES'], processes) : undefined;
  const start = env['G2D_START'] ?? launcher.start(env);
  return {
    rank,
    processes,
    // It becomes the name of a folder.
    start: start?.replaceAll(/[^\w.-]+/g, '-'),
    addresses,
    host: env['G2D_HOST'] || undefined,
  };
}

/** Far above what a run can use. */
export const MOST_PROCESSES = 1024;

function numberOf(env: Environment, name: string, least: number, most: number): number {
  const value = Number(env[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OptionError(`${name} is "${env[name]}"; it must be a whole number from ${least} to ${most}.`, {
    option: name,
    value: env[name],
    accepted: `${least} to ${most}`,
  });
}

function addressesOf(text: string, processes: number): readonly string[] {
  const addresses = text.split(',').map((address) => address.trim());
  const wrong = addresses.find((address) => !/^[^\s:]+:\d{1,5}$|^\[[^\]\s]+\]:\d{1,5}$/.test(address));
  const problem =
    wrong !== undefined
      ? `has "${wrong}", which is not host:port`
      : addresses.length !== processes
        ? `has ${addresses.length} addresses for ${processes} processes`
        : new Set(addresses).size < addresses.length
          ? 'has one address twice'
          : undefined;
  if (problem === undefined) return addresses;
  throw new OptionError(
    `G2D_ADDRESSES ${problem}. Give one host:port for each process, in the order of their numbers, with commas between them.`,
    { option: 'G2D_ADDRESSES', value: text, accepted: `${processes} times host:port` },
  );
}
