import { readFileSync } from 'node:fs';
import { FileFormatError, OptionError, type NamedArray, ownValue } from '@g2d/core';
import type { RecordedFacts } from '@g2d/core/run-folder';
import { decodeSafetensors } from '@g2d/formats';
import { checksumWords, classDifference } from '@g2d/core/run-folder';
import { isThere, readIfThere } from '@g2d/formats/node';
import type { RunConfig } from './config-schema.js';
import { firstDifference, written } from './differences.js';
import { assertUnchanged, dataDifferences, moduleChecksums, moduleDifferences } from './identity.js';
import { sha256 } from './node/checkpoints/checkpoint.js';
import { FULL_TEACHER, type ModelFacts } from './modalities.js';
import { RunFolder, type RunSummary } from './node/run-folder.js';
import type { RunData } from './open-data.js';
import { parseConfig } from './read-config.js';
import { recordedClasses } from './recorded-classes.js';
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
  /** In what its data or modules are not those of the student, where that was allowed: sentences. */
  readonly differences: readonly string[];
  /** What cannot be told of it. */
  readonly remarks: readonly string[];
}

/** As it lies in a folder. */
type Stored = Omit<Teacher, 'differences' | 'remarks'>;

/** By modality; `FULL_TEACHER` has all of them. */
export type Teachers = ReadonlyMap<string, Teacher>;

/** The weights in a run's own copy of a teacher. */
export const TEACHER_WEIGHTS = 'model.safetensors';

/** Of a copy, what decides on the teacher's outputs: the run remembers their checksums. */
const TEACHER_FILES: readonly string[] = [TEACHER_WEIGHTS, 'config.json'];

/** Of the copies of teachers in a run's folder, by modality and file. */
export const checksumsOf = (
  modalities: Iterable<string>,
  run: RunFolder,
): Record<string, Record<string, string>> =>
  Object.fromEntries(
    [...modalities].map((modality) => {
      const copy = new RunFolder(run.teacher(modality));
      const checksums = TEACHER_FILES.map((name) => [name, sha256(readFileSync(copy.file(name)))] as const);
      return [modality, Object.fromEntries(checksums)];
    }),
  );

interface Student {
  readonly facts: ModelFacts;
  readonly data: RunData;
  /** What its methods ask for. */
  readonly kinds: ReadonlySet<'unimodal' | 'full'>;
  /** The folder of a run that has begun, with copies of its teachers. */
  readonly copies: RunFolder | undefined;
  /** Whether modules that a teacher names, and the configuration does not, may be loaded. */
  readonly trust: boolean;
}

/**
 * Reads the teachers that a configuration names, or, in a run that goes on, the copies in its folder.
 *
 * @throws {OptionError} If one is missing, not finished, or of another modality, dataset or shape, of other classes or another order of
 * them; if it names modules that the configuration does not, and is not trusted; if its data are not those of the student, unless that is
 * allowed.
 * @throws {FileFormatError} If a copy is not what was copied.
 */
export function readTeachers(config: RunConfig, student: Student): Teachers {
  const { facts, data, kinds, copies, trust } = student;
  const wanted = [
    ...(kinds.has('unimodal') ? Object.keys(facts.shapes) : []),
    ...(kinds.has('full') ? [FULL_TEACHER] : []),
  ];
  const found = wanted.map((modality) => {
    const teacher = copies ? readCopy(copies, modality) : readFinished(config, modality);
    assertFits(teacher, modality, config, student);
    const modules = modality === FULL_TEACHER ? modulesOf : modelModulesOf;
    assertTrusted(modules(teacher.config), teacher.path, { trust, own: modulesOf(config) });
    // The copies were compared when they were made.
    const { differences = [], remarks = [] } = copies ? {} : comparedData(teacher, modality, data);
    const more = copies || modality !== FULL_TEACHER ? [] : remarksOnFull(teacher);
    return [modality, { ...teacher, differences, remarks: [...remarks, ...more] }] as const;
  });
  const remedy = 'Train the teachers on the data of this run';
  assertUnchanged(
    found.flatMap(([, { differences }]) => differences),
    config,
    remedy,
  );
  return new Map(found);
}

/** How sentences call a teacher. */
const whose = (modality: string): string =>
  modality === FULL_TEACHER ? 'of all modalities' : `for ${modality}`;

const missingWords = ({ rate, masks, sampler }: NonNullable<RunConfig['data']['missing']>): string =>
  rate === undefined ? (masks ?? `${sampler}`) : `a rate of ${rate}`;

/** It is to know what the student has to imagine. */
const remarksOnFull = ({ path, config }: Stored): readonly string[] =>
  config.data.missing && config.data.missing.rate !== 0
    ? [
        `The teacher of all modalities in ${path} was itself trained with missing ones (${missingWords(config.data.missing)}); the authors' was trained on complete data.`,
      ]
    : [];

function readFinished({ teachers, method }: RunConfig, modality: string): Stored {
  const path = ownValue(teachers, modality);
  const advice =
    modality === FULL_TEACHER
      ? `Train one with the same encoders, on complete data (for example "method": "joint"), and give its run folder as "teachers.${FULL_TEACHER}".`
      : `Train it (g2d train CONFIG --teacher ${modality} --out DIR) and give its run folder.`;
  const refuse = (problem: string): never => {
    throw new OptionError(
      `The method "${method}" needs a teacher ${whose(modality)}, ${problem}. ${advice}`,
      {
        option: `teachers.${modality}`,
        value: path,
        accepted: 'the folder of a finished run',
      },
    );
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

function readCopy(run: RunFolder, modality: string): Stored {
  const path = run.teacher(modality);
  const folder = new RunFolder(path);
  for (const [name, checksum] of Object.entries(run.config()?.identity?.teachers?.[modality] ?? {})) {
    const file = folder.file(name);
    const bytes = readIfThere(file);
    const found = bytes && sha256(bytes);
    if (found === undefined || found === checksum) continue;
    throw new FileFormatError(
      file,
      `the run's copy of its teacher is not what was copied: it has the ${checksumWords(found)}, and config.json of the run says ${checksumWords(checksum)}. Put the file back, or begin the run anew, in another folder.`,
      { modality },
    );
  }
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
  { path, recorded, config: own }: Stored,
  modality: string,
  config: RunConfig,
  { facts: student, data }: Student,
): void {
  const refuseWords = (what: string, found: string, needed: string): never => {
    throw new OptionError(
      `The teacher ${whose(modality)} in ${path} has ${what} ${found}, but this run has ${needed}. Train a teacher for this run.`,
      { option: `teachers.${modality}`, value: path, accepted: needed },
    );
  };
  const refuse = (what: string, found: unknown, needed: unknown): never =>
    refuseWords(what, written(found), written(needed));
  const facts = recorded.model;
  const modalities = Object.keys(facts?.shapes ?? {});
  const needed = modality === FULL_TEACHER ? Object.keys(student.shapes) : [modality];
  if (!facts || modalities.join() !== needed.join()) return refuse('the modalities', modalities, needed);
  // Another fold or list of the same dataset would show the teacher what the student is tested on.
  const other = firstDifference(withoutRoot(own), withoutRoot({ ...own, dataset: config.dataset }));
  if (other) refuse(`"${other.key}"`, other.begun, other.now);
  if (facts.classes !== student.classes) refuse('classes', facts.classes, student.classes);
  const [theirs, ours] = [own, config].map(({ loss }) => loss?.output ?? 'sigmoid');
  if (student.task === 'regression' && theirs !== ours) refuse('the "output" of "loss"', theirs, ours);
  const classes = classDifference(
    recordedClasses(new RunFolder(path)) ?? data.train.classNames,
    data.train.classNames,
  );
  if (classes) refuseWords('the classes', classes.before, classes.now);
  for (const name of needed) {
    const [found, own] = [facts.shapes[name], student.shapes[name]];
    if (JSON.stringify(found) !== JSON.stringify(own)) refuse('inputs of shape', found, own);
  }
}

/** Whether a teacher was trained on the data that its student has. */
function comparedData(
  { path, recorded: { identity }, config }: Stored,
  modality: string,
  data: RunData,
): Pick<Teacher, 'differences' | 'remarks'> {
  const who = `The teacher ${whose(modality)} in ${path}`;
  if (!identity) {
    return {
      differences: [],
      remarks: [
        `${who} is of an earlier version, which did not record its data: whether they are those of this run cannot be told.`,
      ],
    };
  }
  const found = dataDifferences(identity.data, data.identity, { sides: { before: 'there', now: 'here' } });
  return {
    differences: [
      ...Object.entries(found).map(
        ([split, words]) => `${who} has another ${split} split than this run (${words}).`,
      ),
      ...moduleDifferences(identity.modules, moduleChecksums(config), `the teacher in ${path} was trained`),
    ],
    remarks: [],
  };
}

/** The same files may lie elsewhere. */
const withoutRoot = (config: RunConfig): RunConfig => {
  const { root: _, ...dataset } = config.dataset as { readonly root?: string } & RunConfig['dataset'];
  return { ...config, dataset: dataset as RunConfig['dataset'] };
};
