import { z } from 'zod';
import { changesSchema, identitySchema, type RunChanges, type RunIdentity } from './identity.js';
import {
  kindSchema,
  numberSchema,
  selectionSchema,
  taskSchema,
  textSchema,
  textsSchema,
  type Immutable,
} from './values.js';

/** `format` in `config.json`: marks a folder as a run's. */
export const RUN_FORMAT = 'g2d-run';

/** `version` in `config.json` of what is written now. Folders of version 1 have no `version`, and no `components`. */
export const RUN_VERSION = 2;

const factsSchema = z
  .looseObject({ name: textSchema, label: textSchema, summary: textSchema })
  .describe('an object of { name, label, summary }');

const methodFactsSchema = factsSchema
  // Its place among the methods of its package: tables have rows in this order where nothing else decides.
  .extend({ order: z.number().min(0).describe('a number from 0').exactOptional() })
  .describe('an object of { name, label, summary, order }');

/** What the components of a run say about themselves, so that whoever reads its folder loads nobody's code. */
const componentsSchema = z
  .looseObject({
    // A stack with a name of its own is one entry, several methods joined by "+" are several.
    method: z.array(methodFactsSchema).describe('a list of { name, label, summary, order }').exactOptional(),
    encoders: z
      .record(z.string(), factsSchema)
      .describe('an object of { name, label, summary } by modality')
      .exactOptional(),
    fusion: factsSchema.exactOptional(),
    dataset: factsSchema.exactOptional(),
  })
  .describe('an object of { method, encoders, fusion, dataset }');

const environmentSchema = z
  .looseObject({
    backend: textSchema.exactOptional(),
    device: textSchema.exactOptional(),
    // That trained it together; absent for one.
    processes: numberSchema.exactOptional(),
    versions: z.record(z.string(), z.string()).describe('an object of strings').exactOptional(),
    // Of the repository around the folder that the run was started in; `null` outside of one.
    gitCommit: z.string().nullable().describe('a string or null').exactOptional(),
  })
  .describe('an object');

const modelSchema = z
  .object({
    task: taskSchema,
    classes: numberSchema,
    shapes: z
      .record(z.string(), z.array(z.number().nullable()))
      .describe('an object of lists of numbers by modality'),
  })
  .describe('an object of { task, classes, shapes }');

/** What `config.json` of a run records beside its settings. */
export const recordedFactsSchema = z.looseObject({
  format: z.literal(RUN_FORMAT).describe(`"${RUN_FORMAT}"`).exactOptional(),
  version: z
    .int()
    .min(1)
    .max(RUN_VERSION)
    .describe(`a version that this program reads, 1 to ${RUN_VERSION}`)
    .exactOptional(),
  kind: kindSchema,
  model: modelSchema.exactOptional(),
  environment: environmentSchema.exactOptional(),
  components: componentsSchema.exactOptional(),
  // Of a run that went on with other settings: from which epoch on, and what they were before.
  continued: z
    .array(z.looseObject({ from: numberSchema, earlier: z.record(z.string(), z.unknown()) }))
    .describe('a list of { from, earlier }')
    .exactOptional(),
  // Runs of earlier versions have none: nobody can tell then whether the data are the same.
  identity: identitySchema.exactOptional(),
  changes: changesSchema.exactOptional(),
});

/** The keys of a run folder's `config.json` that are no settings: the file is a configuration itself. */
export const RECORDED_KEYS: readonly string[] = Object.keys(recordedFactsSchema.shape);

/** `config.json` of a run: the settings as they were resolved, and what was recorded beside them. Other settings stay as they are. */
export const recordedConfigSchema = recordedFactsSchema
  .extend({
    name: textSchema,
    modalities: textsSchema.refine((names) => names.length > 0, 'a list of at least one name'),
    method: textSchema.exactOptional(),
    methodOptions: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe('an object of options by method')
      .exactOptional(),
    dataset: z.looseObject({ name: textSchema.exactOptional() }).describe('an object').exactOptional(),
    teachers: z.record(z.string(), z.string()).describe('an object of folders by modality').exactOptional(),
    seed: numberSchema,
    epochs: numberSchema,
    select: selectionSchema.exactOptional(),
    // In a configuration without `methodOptions`.
    phaseEpochs: z.array(z.number()).describe('a list of numbers').exactOptional(),
    scope: textSchema.exactOptional(),
  })
  .transform((config) => {
    const method = config.method ?? (config.kind === 'teacher' ? 'teacher' : config.name);
    return { ...config, method } as typeof config & { method: string };
  });

/** `config.json` of a run as it is read. */
export type RecordedConfig = Immutable<z.output<typeof recordedConfigSchema>>;

/** What `config.json` of a run records beside its settings, as it is read; the settings are in it, unchecked. */
export type RecordedFacts = Immutable<z.output<typeof recordedFactsSchema>>;

/** What the components of a run say about themselves. */
export type RunComponents = Immutable<z.output<typeof componentsSchema>>;

/** Where a run was made. */
export type RunEnvironment = Immutable<z.output<typeof environmentSchema>>;

/** What a run records beside its settings when it begins. */
export interface RunFacts {
  readonly kind: z.output<typeof kindSchema>;
  readonly model: Immutable<z.output<typeof modelSchema>>;
  readonly environment: RunEnvironment;
  readonly components?: RunComponents;
  readonly identity?: RunIdentity;
  readonly changes?: RunChanges;
}
