import type { RunIdentity } from '@g2d/core/run-folder';
import type { FrozenTeachers } from '@g2d/trainer';
import { disposeState } from '@g2d/trainer/internal';
import { checkOpened } from './check-opened.js';
import type { RunConfig } from './config-schema.js';
import { buildModel, type BuiltModel } from './build-model.js';
import { factsOf, modalitiesOf, type ModelFacts } from './modalities.js';
import type { RunFolder } from './node/run-folder.js';
import { moduleChecksums } from './identity.js';
import { openData, type RunData } from './open-data.js';
import type { RunPlan } from './plan-run.js';
import type { Processes } from './processes/processes.js';
import { readTeachers, type Teachers } from './read-teachers.js';
import { recordedClasses } from './recorded-classes.js';
import { startTeachers } from './start-teachers.js';

/** Everything that a plan needs, ready to be trained or evaluated. */
export interface OpenedRun extends BuiltModel {
  readonly plan: RunPlan;
  /** Those that train it together. */
  readonly processes: Processes | undefined;
  readonly folder: RunFolder;
  readonly data: RunData;
  readonly facts: ModelFacts;
  /** The runs of its teachers, where a method asked for them. */
  readonly teachers: Teachers | undefined;
  /** What it is made of beside its settings, as it is found now. */
  readonly identity: RunIdentity;
  /**
   * Makes the teachers ready to judge; call it once.
   *
   * @param outputs `'stored'` writes into the run's folder.
   */
  startTeachers(
    outputs: RunConfig['teacherOutputs'],
    note: (line: string) => void,
  ): Promise<FrozenTeachers<string>>;
  /** Closes the data, and frees the model and the teachers. */
  close(): Promise<void>;
}

/**
 * Opens data, model and teachers of a run. Nothing is written.
 *
 * @param options `folder`: the run's. `teachers`: those that the configuration names; the copies in the folder of a run that has begun, which
 * stand in for them: its classes are those that it began with; or none, where they are yet to be trained. `trust`: whether modules that
 * teachers name, and the configuration does not, may be loaded. `processes`: those that train it together. `count`: how many it will be, where they are
 * not there yet.
 * @throws {OptionError} If what is found does not go together.
 */
export async function openRun(
  plan: RunPlan,
  {
    folder,
    teachers: from,
    trust = false,
    processes,
    count = processes?.allReduce.processes ?? 1,
  }: {
    readonly folder: RunFolder;
    readonly teachers: 'named' | 'copied' | 'later';
    readonly trust?: boolean;
    readonly processes?: Processes | undefined;
    readonly count?: number;
  },
): Promise<OpenedRun> {
  const copies = from === 'copied' ? folder : undefined;
  const data = await openData(plan, { classNames: copies && recordedClasses(copies) });
  try {
    const modalities = modalitiesOf(plan.config, data.train);
    const facts = factsOf(modalities, data.train);
    const teachers =
      plan.needsTeachers && from !== 'later'
        ? readTeachers(plan.config, { facts, data, kinds: plan.teacherKinds, copies, trust })
        : undefined;
    const built = await buildModel(plan.model, facts);
    checkOpened(plan, { model: built.model, data, processes: count });
    const own = [...(teachers?.values() ?? [])].map(({ config }) => config);
    const identity = { data: data.identity, modules: moduleChecksums(plan.config, ...own) };
    const started: FrozenTeachers<string>[] = [];
    return {
      ...built,
      plan,
      folder,
      data,
      facts,
      teachers,
      identity,
      processes,
      async startTeachers(teacherOutputs, note) {
        const config = { ...plan.config, teacherOutputs };
        const judges = await startTeachers(teachers ?? new Map(), config, { data, folder, note });
        started.push(judges);
        return judges;
      },
      async close() {
        for (const judges of started) judges.dispose();
        disposeState(built.model);
        await data.close();
      },
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}
