import { datasetNameOf } from '../run-settings.js';
import type { RunConfig, StartedRun } from '../run.js';

type Settings = Readonly<Record<string, unknown>>;

/** Where a configuration has a seed beside the run's: of the dataset, and of the mask of missing modalities. */
const PLACES = [['dataset'], ['data', 'missing']] as const;

/** What stands in place of a seed that is the run's own. */
export const OWN_SEED = 'own';

/**
 * Runs in whose settings seeds of the data that are each run's own are called so, so that the seeds of one setting have the same settings.
 *
 * Own is a seed that is the run's in every run of a dataset: in run 0 of the seeds 0, 1, 2 a fixed 0 looks as if it were its own.
 *
 * @returns The runs themselves where there is no such seed.
 */
export function withOwnSeeds<R extends StartedRun>(runs: readonly R[]): readonly R[] {
  const own = (name: string, place: readonly string[]): boolean =>
    runs
      .flatMap((run) => configsOf(run))
      .filter((config) => datasetNameOf(config) === name)
      .every((config) => [undefined, config.seed].includes(seedAt(config, place) as number | undefined));
  const known = new Map<string, boolean>();
  const isOwn = (name: string, place: readonly string[]): boolean => {
    const key = JSON.stringify([name, place]);
    const value = known.get(key) ?? own(name, place);
    known.set(key, value);
    return value;
  };
  const renamed = (config: RunConfig): RunConfig =>
    PLACES.filter(
      (place) => seedAt(config, place) !== undefined && isOwn(datasetNameOf(config), place),
    ).reduce((rest, place) => named(rest, [...place, 'seed']) as RunConfig, config);
  return runs.map((run) => {
    const config = renamed(run.config);
    const teachers = Object.entries(run.teachers ?? {}).map(
      ([modality, teacher]) => [modality, { ...teacher, config: renamed(teacher.config) }] as const,
    );
    const isSame =
      config === run.config &&
      teachers.every(([name, { config: own }]) => own === run.teachers?.[name]?.config);
    return isSame ? run : { ...run, config, ...(run.teachers && { teachers: Object.fromEntries(teachers) }) };
  });
}

const configsOf = ({ config, teachers }: StartedRun): readonly RunConfig[] => [
  config,
  ...Object.values(teachers ?? {}).map((teacher) => teacher.config),
];

const seedAt = (config: RunConfig, place: readonly string[]): unknown =>
  [...place, 'seed'].reduce<unknown>((value, key) => recordOf(value)[key], config);

function named(settings: Settings, [key, ...rest]: readonly string[]): Settings | typeof OWN_SEED {
  return key === undefined ? OWN_SEED : { ...settings, [key]: named(recordOf(settings[key]), rest) };
}

const recordOf = (value: unknown): Settings =>
  typeof value === 'object' && value !== null ? (value as Settings) : {};
