import type { LayersModel } from '@tensorflow/tfjs-layers';
import { encoders } from '@g2d/encoders';
import { fusions, lateFusion, MultimodalModel } from '@g2d/fusion';
import {
  isComponent,
  OptionError,
  perModality,
  UnknownModalityError,
  type AnyEncoder,
  type AnyFusion,
  type EncoderOptions,
  type Fusion,
  type FusionOptions,
  type Method,
  type MultimodalDataset,
} from '@g2d/core';
import { deriveSeed } from '@g2d/tensor-ops';
import { accelerate } from '@g2d/accelerate';
import type { RunComponents } from '@g2d/core/run-folder';
import { componentWords, type ComponentWords } from './component-words.js';
import type { EncoderConfig, FusionConfig, RunConfig } from './config-schema.js';
import { callExport, describeValue, importDefault } from './import-module.js';
import { usablePrecision } from './precision.js';

/** What a model is built for. */
type ModelData = Pick<MultimodalDataset<string>, 'name' | 'modalities' | 'shapes' | 'task' | 'classNames'>;

/** What a model takes and gives; recorded in a run's `config.json`, so that a student can tell whether a teacher fits. */
export interface ModelFacts {
  readonly task: 'classification' | 'regression';
  /** C, or 1 for a regression. */
  readonly classes: number;
  /** Of one sample, by modality. */
  readonly shapes: Readonly<Record<string, readonly (number | null)[]>>;
}

/** A model as a configuration describes it, with new weights. */
export interface BuiltModel {
  readonly model: MultimodalModel<string>;
  readonly encoders: Readonly<Record<string, LayersModel>>;
  readonly facts: ModelFacts;
  /** What encoders and fusion say about themselves: not functions of the user's, nor a fusion that is a part of a method. */
  readonly components: Pick<RunComponents, 'encoders' | 'fusion'>;
}

/**
 * The modalities that a run's model has, in the dataset's order.
 *
 * @throws {UnknownModalityError} If one is named that the dataset lacks.
 * @throws {OptionError} If one has no encoder.
 */
export function modalitiesOf(config: RunConfig, data: ModelData): readonly string[] {
  const { modalities, encoders } = config;
  const { augment } = config.data;
  const named = { encoders, 'data.augment': augment, teachers: config.teachers ?? {} };
  for (const [key, record] of Object.entries(named)) {
    const strange = Object.keys(record).find((modality) => !data.modalities.includes(modality));
    if (strange === undefined) continue;
    throw new OptionError(
      `"${key}" has "${strange}", but the dataset ${data.name} has no such modality; it has ${data.modalities.join(', ')}.`,
      { option: `${key}.${strange}`, value: strange, accepted: data.modalities.join(', ') },
    );
  }
  const flat = Object.keys(augment).find((modality) => data.shapes[modality]?.length !== 3);
  if (flat !== undefined) {
    throw new OptionError(
      `"data.augment.${flat}" crops pictures [H, W, C], but ${flat} has the shape ${JSON.stringify(data.shapes[flat])}.`,
      { option: `data.augment.${flat}`, value: data.shapes[flat], accepted: 'a modality of pictures' },
    );
  }
  for (const modality of modalities ?? []) {
    if (data.modalities.includes(modality)) continue;
    throw new UnknownModalityError({ modality, known: data.modalities, where: `The dataset ${data.name}` });
  }
  const chosen = modalities ?? Object.keys(encoders);
  const without = chosen.find((modality) => !encoders[modality]);
  if (without !== undefined) {
    throw new OptionError(
      `"encoders" has none for ${without}. Add one, or leave ${without} out of "modalities".`,
      {
        option: 'encoders',
        value: Object.keys(encoders),
        accepted: chosen.join(', '),
      },
    );
  }
  return data.modalities.filter((modality) => chosen.includes(modality));
}

/**
 * Builds the model of a run. The same configuration gives the same initial weights.
 *
 * A teacher (one modality) starts from other weights than a student of the same seed: from the same ones, distillation would
 * be too easy.
 */
export async function buildModel(
  config: RunConfig,
  data: ModelData,
  methods: readonly Method<string>[],
): Promise<BuiltModel> {
  const modalities = modalitiesOf(config, data);
  const seed = modalities.length === 1 ? deriveSeed(config.seed, 'teachers') : config.seed;
  const made = await Promise.all(
    modalities.map(async (name) => {
      const { encoder, words } = await buildEncoder(config.encoders[name] as EncoderConfig, {
        name,
        inputShape: data.shapes[name] as (number | null)[],
        seed,
      });
      const precision = usablePrecision(config.precision);
      return { name, words, encoder: precision === 'float32' ? encoder : accelerate(encoder, { precision }) };
    }),
  );
  const built = Object.fromEntries(made.map(({ name, encoder }) => [name, encoder]));
  const widths = perModality(modalities, (name) => built[name]?.outputs[0]?.shape[1] as number);
  const { classes } = factsOf(modalities, data);
  const options = { widths, classes, seed };
  const needed = methods.find((method) => method.fusion)?.fusion?.(options);
  const { fusion, words } = needed ? { fusion: needed } : await buildFusion(config.fusion, options);
  return {
    model: new MultimodalModel({ encoders: built, fusion }),
    encoders: built,
    facts: factsOf(modalities, data),
    components: {
      encoders: Object.fromEntries(made.flatMap((each) => (each.words ? [[each.name, each.words]] : []))),
      ...(words && { fusion: words }),
    },
  };
}

/** What a model of some of a dataset's modalities takes and gives. */
export const factsOf = (
  modalities: readonly string[],
  { task, classNames, shapes }: ModelData,
): ModelFacts => ({
  task,
  classes: task === 'regression' ? 1 : classNames.length,
  shapes: perModality(modalities, (name) => shapes[name] as readonly (number | null)[]),
});

const KNOWN_ENCODERS: ReadonlyMap<string, AnyEncoder> = new Map(encoders.map((each) => [each.name, each]));
const KNOWN_FUSIONS: ReadonlyMap<string, AnyFusion> = new Map(fusions.map((each) => [each.name, each]));

interface BuiltEncoder {
  readonly encoder: LayersModel;
  readonly words?: ComponentWords | undefined;
}

async function buildEncoder(config: EncoderConfig, spec: EncoderOptions): Promise<BuiltEncoder> {
  const { type, weights: _, path = '', ...own } = config;
  const prefix = `encoders.${spec.name}`;
  const known = KNOWN_ENCODERS.get(type);
  if (known) {
    const encoder = known.make(spec, own, { where: 'the configuration', prefix });
    return { encoder, words: componentWords(known, 'encoder') };
  }
  const what = `the encoder for ${spec.name}`;
  // Never 0, which TensorFlow.js's initializers take for "at random", and another one for each modality.
  const seeded = { ...spec, seed: deriveSeed(spec.seed, spec.name) };
  const { options = {} } = own;
  const exported = await importDefault(path, what);
  const encoder = isComponent(exported, 'encoder')
    ? (exported as AnyEncoder).make(seeded, options, {
        where: 'the configuration',
        prefix: `${prefix}.options`,
      })
    : await callExport<LayersModel>(exported, { ...options, ...seeded }, { path, what });
  if (typeof (encoder as Partial<LayersModel> | undefined)?.apply === 'function' && encoder.outputs) {
    return { encoder: accelerate(encoder), words: componentWords(exported, 'encoder') };
  }
  throw new OptionError(`${path} must give ${what}, a LayersModel, but gave ${describeValue(encoder)}.`, {
    option: `${prefix}.path`,
    value: path,
    accepted: 'a LayersModel',
  });
}

interface BuiltFusion {
  readonly fusion: Fusion<string>;
  readonly words?: ComponentWords | undefined;
}

async function buildFusion(
  { type, path = '', ...own }: FusionConfig,
  spec: FusionOptions<string>,
): Promise<BuiltFusion> {
  // A teacher has nothing to fuse.
  if (Object.keys(spec.widths).length === 1) return { fusion: lateFusion(spec) };
  const known = KNOWN_FUSIONS.get(type);
  if (known) {
    const fusion = known.make(spec, own, { where: 'the configuration', prefix: 'fusion' });
    return { fusion, words: componentWords(known, 'fusion') };
  }
  const what = 'the fusion';
  const { options = {} } = own;
  const exported = await importDefault(path, what);
  const fusion = isComponent(exported, 'fusion')
    ? (exported as AnyFusion).make(spec, options, { where: 'the configuration', prefix: 'fusion.options' })
    : await callExport<Fusion<string>>(exported, { ...options, ...spec }, { path, what });
  if (typeof (fusion as Partial<Fusion<string>> | undefined)?.apply === 'function' && fusion.layers)
    return { fusion, words: componentWords(exported, 'fusion') };
  throw new OptionError(`${path} must give ${what}, but gave ${describeValue(fusion)}.`, {
    option: 'fusion.path',
    value: path,
    accepted: 'a Fusion',
  });
}
