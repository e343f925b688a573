import { createHash } from 'node:crypto';
import type { RunConfig } from '../config-schema.js';
import { decisiveSettings } from '../differences.js';
import { KNOWN_METHODS, methodNames } from '../method-names.js';
import { isOfOthers } from './teacher-settings.js';

/**
 * What a run is known by, wherever it lies: a hash of the settings that its numbers depend on. Two runs with the same key and the same
 * teachers have the same results on the same data.
 *
 * It is over everything in the configuration but
 * - `name`, and the folders of teachers and data (`teachers`, `dataset.root`);
 * - options of methods that the run lacks; those that it has are with their defaults, and `g2d` is `g2d-loss+smp`;
 * - encoders, augmentation and rates of modalities that it lacks, and the fusion of a run of one modality, which has nothing to fuse;
 * - settings of teachers, of `joint`, which has none;
 * - what changes no number: `data.workers`, `data.prefetch`, `data.cache`, `data.inMemory`, `checkpoints`, `allowChanged`, and
 *   `evaluation.batchSize` unless an encoder reads sequences, which are padded to the longest of a batch.
 *
 * @returns 64 hexadecimal digits.
 * @throws {OptionError} If a method is unknown.
 */
export function runKey(config: RunConfig): string {
  const names = methodNames(config.method);
  const modalities = [...(config.modalities ?? Object.keys(config.encoders))].sort();
  const own = (record: Readonly<Record<string, unknown>> | undefined, place: string) =>
    record &&
    Object.fromEntries(Object.entries(record).filter(([key]) => !isOfOthers(`${place}.${key}`, modalities)));
  const { data, optimizer, freeze, fusion, teacherOutputs, teacherPrecision, ...rest } = config;
  const settings = {
    ...rest,
    name: undefined,
    modalities,
    encoders: own(config.encoders, 'encoders'),
    method: names,
    methodOptions: Object.fromEntries(names.map((name) => [name, optionsOf(name, config)])),
    data: { ...data, augment: own(data.augment, 'data.augment'), missing: missingOf(config, modalities) },
    optimizer: { ...optimizer, learningRates: own(optimizer.learningRates, 'optimizer.learningRates') },
    freeze: freeze.filter((part) => !isOfOthers(`optimizer.learningRates.${part}`, modalities)).sort(),
    ...(modalities.length > 1 && { fusion }),
    // Joint training is no method at all.
    ...(names.length > 0 && { teacherOutputs, teacherPrecision }),
    // Not among the decisive settings under its own key.
    ...(readsSequences(config, modalities) && { evaluatedTogether: config.evaluation.batchSize }),
  };
  const decisive = decisiveSettings(settings as unknown as RunConfig, []);
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** With defaults, also where nothing is said of the method. */
function optionsOf(name: string, { methodOptions }: RunConfig): unknown {
  const given = Object.hasOwn(methodOptions, name) ? methodOptions[name] : undefined;
  const known = KNOWN_METHODS.get(name);
  if (given !== undefined || known?.kind !== 'method') return given;
  return known.options.safeParse({}).data;
}

/** Masks are drawn from the run's seed over its modalities, unless it says otherwise. */
function missingOf({ data: { missing }, seed }: RunConfig, own: readonly string[]): unknown {
  if (!missing) return undefined;
  const { modalities = own } = missing;
  const over =
    typeof modalities === 'string' ? { everyModality: true } : { modalities: [...modalities].sort() };
  const drawn = missing.masks === undefined && { sampler: 'exact', seed };
  return { ...drawn, ...missing, modalities: undefined, ...over };
}

/** Encoders whose inputs have one length for every sample. */
const OF_ONE_LENGTH = ['resnet18', 'mobilenet-v2', 'tabular-mlp', 'mlp', 'small-audio', 'small-image'];

const readsSequences = ({ encoders }: RunConfig, modalities: readonly string[]): boolean =>
  modalities.some((modality) => !OF_ONE_LENGTH.includes(encoders[modality]?.type ?? ''));
