import { OptionError, type NamedArray, shown } from '@g2d/core';
import type { RecordedFacts } from '@g2d/core/run-folder';
import { decodeSafetensors } from '@g2d/formats';
import { isThere, readIfThere } from '@g2d/formats/node';
import type { RunConfig } from './config-schema.js';
import { firstDifference } from './differences.js';
import type { ModelFacts } from './modalities.js';
import { RunFolder, type RunSummary } from './node/run-folder.js';
import { parseConfig } from './read-config.js';
import { assertTrusted, modelModulesOf, modulesOf } from './trust.js';

/** A teacher: what its run was, and its weights. */
export interface Teacher {
  readonly path: string;
  /** `config.json` of its run. */
  readonly recorded: RecordedFacts;
  /** The same, as a configuration. */
  readonly config: RunConfig;
  readonly weights: Readonly<Record<string, NamedArray>>;
  /** What it came to, for the student's report. */
  readonly summary: RunSummary | undefined;
}

/** By modality. */
export type Teachers = ReadonlyMap<string, Teacher>;

/** The weights in a run's own copy of a teacher. */
export const TEACHER_WEIGHTS = 'model.safetensors';

/**
 * Reads the teachers that a configuration names, or, in a run that goes on, the copies in its folder.
 *
 * @throws {OptionError} If one is missing, not finished, of another modality, dataset, shape or number of classes, or names modules that the
 * configuration does not, and is not trusted.
 */
export function readTeachers(
  config: RunConfig,
  student: ModelFacts,
  { copies, trust }: { readonly copies: RunFolder | undefined; readonly trust: boolean },
): Teachers {
  return new Map(
    Object.keys(student.shapes).map((modality) => {
      const teacher = copies ? readCopy(copies.teacher(modality)) : readFinished(config, modality);
      assertFits(teacher, modality, config, student);
      assertTrusted(modelModulesOf(teacher.config), teacher.path, { trust, own: modulesOf(config) });
      return [modality, teacher];
    }),
  );
}

function readFinished({ teachers, method }: RunConfig, modality: string): Teacher {
  const path = teachers?.[modality];
  const advice = `Train it (g2d train CONFIG --teacher ${modality} --out DIR) and give its run folder.`;
  const refuse = (problem: string): never => {
    throw new OptionError(`The method "${method}" needs a teacher for ${modality}, ${problem}. ${advice}`, {
      option: `teachers.${modality}`,
      value: path,
      accepted: 'the folder of a finished run',
    });
  };
  if (path === undefined) return refuse('and "teachers" names none');
  const folder = new RunFolder(path);
  const recorded = folder.config();
  if (!isThere(path)) return refuse(`but there is no folder ${path}`);
  if (!recorded) return refuse(`but ${path} is no run folder`);
  const summary = folder.summary();
  if (!summary) return refuse(`but the run ${path} is not finished: go on with it (--resume)`);
  return { path, recorded, config: configOf(recorded, path), weights: folder.weights(), summary };
}

function readCopy(path: string): Teacher {
  const folder = new RunFolder(path);
  const recorded = folder.config();
  const bytes = readIfThere(folder.file(TEACHER_WEIGHTS));
  if (recorded && bytes) {
    const weights = decodeSafetensors(bytes, folder.file(TEACHER_WEIGHTS));
    return { path, recorded, config: configOf(recorded, path), weights, summary: folder.summary() };
  }
  throw new OptionError(
    `The run's copy of a teacher in ${path} is gone. Nothing was changed. Put it back, or begin the run anew in another folder.`,
    { option: 'out', value: path, accepted: 'a complete run folder' },
  );
}

const configOf = (recorded: RecordedFacts, path: string): RunConfig =>
  parseConfig(recorded, { where: `${path}/config.json` });

function assertFits(
  { path, recorded, config: own }: Teacher,
  modality: string,
  config: RunConfig,
  student: ModelFacts,
): void {
  const refuse = (what: string, found: unknown, needed: unknown): never => {
    throw new OptionError(
      `The teacher for ${modality} in ${path} has ${what} ${written(found)}, but this run has ${written(needed)}. Train a teacher for this run.`,
      { option: `teachers.${modality}`, value: path, accepted: written(needed) },
    );
  };
  const facts = recorded.model;
  const modalities = Object.keys(facts?.shapes ?? {});
  if (!facts || modalities.join() !== modality) return refuse('the modalities', modalities, [modality]);
  // Another fold or list of the same dataset would show the teacher what the student is tested on.
  const other = firstDifference(withoutRoot(own), withoutRoot({ ...own, dataset: config.dataset }));
  if (other) refuse(`"${other.key}"`, other.begun, other.now);
  if (facts.classes !== student.classes) refuse('classes', facts.classes, student.classes);
  const [found, needed] = [facts.shapes[modality], student.shapes[modality]];
  if (JSON.stringify(found) !== JSON.stringify(needed)) refuse('inputs of shape', found, needed);
}

const written = (value: unknown): string => (value === undefined ? 'not set' : shown(value));

/** The same files may lie elsewhere. */
const withoutRoot = (config: RunConfig): RunConfig => {
  const { root: _, ...dataset } = config.dataset as { readonly root?: string } & RunConfig['dataset'];
  return { ...config, dataset: dataset as RunConfig['dataset'] };
};
