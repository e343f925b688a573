import { pathToFileURL } from 'node:url';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import {
  isComponent,
  OptionError,
  type AnyDataset,
  type AnyEncoder,
  type AnyFusion,
  type Component,
  type DatasetSource,
  type EncoderOptions,
  type Fusion,
  type FusionOptions,
  type Kind,
  type MultimodalDataset,
  type OptionsPlace,
  type Split,
} from '@g2d/core';
import type { RunComponents } from '@g2d/core/run-folder';
import { datasets } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';
import { fusions } from '@g2d/fusion';
import { deriveSeed } from '@g2d/tensor-ops';
import type { EncoderConfig, FusionConfig } from './config-schema.js';
import { callExport, describeValue, importDefault, moduleFile } from './import-module.js';
import type { DatasetConfig } from './schema/datasets.js';
import { unreadNotes, watchedOptions } from './watched-options.js';

/** Name, label and summary of one component, as a run's folder has them. */
type Words = NonNullable<RunComponents['dataset']>;

/** A component that a configuration names: found and, if it is the user's own, loaded; not made yet. */
export interface Found<Spec, Made> {
  /** What it says about itself; nothing, if it is a function of the user's without a definition. */
  readonly words?: Words;
  /** The definition, if it has one. */
  readonly definition?: Component;
  /**
   * Makes it, with the options of the configuration.
   *
   * @throws {OptionError} If an option is wrong, or a module gives something else.
   */
  make(spec: Spec): Promise<Made>;
  /** Options that a function without a definition has not read so far: sentences for the user. */
  unread(): readonly string[];
}

/** What is done with components of one kind. */
interface Handling<Definition extends Component, Spec extends object, Made> {
  readonly kind: Kind;
  readonly known: ReadonlyMap<string, Definition>;
  make(definition: Definition, spec: Spec, options: unknown, place: OptionsPlace): Made | Promise<Made>;
  /** What it is, for errors: `the fusion`. */
  what(spec?: Spec): string;
  /** For what one of the user's own is made. Default: as it is. */
  own?(spec: Spec): Spec;
  /** Checks what a module of the user's gives, and makes it ready. */
  accept(made: unknown, module: Module): Made;
}

/** A module of the user's, for errors. */
interface Module {
  readonly path: string;
  readonly what: string;
}

/** A component as it stands in a configuration. */
interface Entry {
  /** Of a known one. */
  readonly name: string;
  /** Of the user's own. */
  readonly path: string;
  readonly options: unknown;
  /** The key where its options stand. */
  readonly key: string;
}

async function find<D extends Component, Spec extends object, Made>(
  { kind, known, make, what, own = (spec) => spec, accept }: Handling<D, Spec, Made>,
  { name, path, options, key }: Entry,
): Promise<Found<Spec, Made>> {
  const place = { where: 'the configuration', prefix: key };
  const found = known.get(name);
  if (found) {
    const unread = (): string[] => [];
    return { ...described(found), make: async (spec) => make(found, spec, options, place), unread };
  }
  const exported = await importDefault(path, what());
  const isDefinition = isComponent(exported, kind);
  const watched = watchedOptions(options as object);
  return {
    ...(isDefinition && described(exported)),
    unread: () => (isDefinition ? [] : unreadNotes(watched.unread(), { path, what: what() })),
    async make(spec) {
      const module = { path, what: what(spec) };
      const made = isDefinition
        ? await make(exported as D, own(spec), options, place)
        : await callExport(exported, withSpec(watched.options, own(spec)), module);
      return accept(made, module);
    },
  };
}

/** What it is made for beside the options, which stay as they are: each knows whether it was read. */
const withSpec = (options: object, spec: object): object =>
  Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(options), ...Object.getOwnPropertyDescriptors(spec) },
  );

function described(definition: Component): { readonly words: Words; readonly definition: Component } {
  const { name, label, summary } = definition;
  return { words: { name, label, summary }, definition };
}

const byName = <C extends Component>(components: readonly C[]): ReadonlyMap<string, C> =>
  new Map(components.map((component) => [component.name, component]));

/** Of a component with its options beside its name; a module's are under `options`. */
const entryOf = (
  name: string,
  { path, options = {}, ...own }: { readonly path?: string; readonly options?: unknown },
  key: string,
): Entry =>
  path === undefined ? { name, path: '', options: own, key } : { name, path, options, key: `${key}.options` };

function refused(made: unknown, { path, what }: Module, option: string, accepted: string, is: string): never {
  throw new OptionError(`${path} must give ${what}${is}, but gave ${describeValue(made)}.`, {
    option,
    value: path,
    accepted,
  });
}

/** Without one of them a dataset of the user's own cannot be read. */
const PARTS_OF_DATASET = [
  'name',
  'task',
  'modalities',
  'shapes',
  'classNames',
  'ids',
  'size',
  'sample',
  'close',
];

const KNOWN_DATASETS = byName<AnyDataset>(datasets);

/**
 * The dataset; made once for each split. Worker threads can open a user's own again, from the same module with the same options, unless it
 * says itself how.
 */
export async function findDataset({
  name,
  ...own
}: DatasetConfig): Promise<Found<{ readonly split: Split }, MultimodalDataset<string>>> {
  const entry = entryOf(name, own, 'dataset');
  const found = await find<AnyDataset, { readonly split: Split }, MultimodalDataset<string>>(
    {
      kind: 'dataset',
      known: KNOWN_DATASETS,
      make: (definition: AnyDataset, { split }, options, place) => definition.make(split, options, place),
      what: (spec) => (spec === undefined ? 'the dataset' : `the ${spec.split} split of the dataset`),
      accept(made, module) {
        if (typeof made === 'object' && made !== null && PARTS_OF_DATASET.every((part) => part in made))
          return made as MultimodalDataset<string>;
        if (made !== undefined) {
          const is = `, an object with ${PARTS_OF_DATASET.join(', ')} (\`fromSamples\` of @g2d/datasets makes one)`;
          refused(made, module, 'dataset.path', 'a MultimodalDataset', is);
        }
        const { path, what } = module;
        throw new OptionError(`${path} gives nothing for ${what}.`, {
          option: 'dataset.path',
          value: path,
          accepted: 'a MultimodalDataset',
        });
      },
    },
    entry,
  );
  const file = moduleFile(entry.path);
  if (file === undefined || KNOWN_DATASETS.has(name)) return found;
  const module = pathToFileURL(file).href;
  const withSource = async (spec: { readonly split: Split }): Promise<MultimodalDataset<string>> => {
    const dataset = await found.make(spec);
    const options = { ...(entry.options as object), ...spec };
    return dataset.source ? dataset : openedBy({ module, name: 'default', options }, dataset);
  };
  return { ...found, make: withSource };
}

/** The user's own object, which may be of any class, with a source beside what it has. */
function openedBy(source: DatasetSource, dataset: MultimodalDataset<string>): MultimodalDataset<string> {
  return new Proxy(dataset, {
    get(target, key) {
      if (key === 'source') return source;
      const value: unknown = Reflect.get(target, key);
      // Of a frozen object a proxy must give what there is.
      const isOwn = typeof value !== 'function' || Object.isFrozen(target);
      return isOwn ? value : (value as () => unknown).bind(target);
    },
  });
}

const KNOWN_ENCODERS = byName<AnyEncoder>(encoders);

/** The encoder of a modality. */
export function findEncoder(
  modality: string,
  config: EncoderConfig,
): Promise<Found<EncoderOptions, LayersModel>> {
  const { type, weights: _, ...own } = config;
  const key = `encoders.${modality}`;
  return find(
    {
      kind: 'encoder',
      known: KNOWN_ENCODERS,
      make: (definition: AnyEncoder, spec, options, place) => definition.make(spec, options, place),
      what: () => `the encoder for ${modality}`,
      // Never 0, which TensorFlow.js's initializers take for "at random", and another one for each modality.
      own: (spec) => ({ ...spec, seed: deriveSeed(spec.seed, modality) }),
      accept(made, module) {
        const encoder = made as LayersModel | undefined;
        if (typeof encoder?.apply === 'function' && encoder.outputs) return accelerate(encoder);
        return refused(made, module, `${key}.path`, 'a LayersModel', ', a LayersModel');
      },
    },
    entryOf(type, own, key),
  );
}

const KNOWN_FUSIONS = byName<AnyFusion>(fusions);

/** The fusion. */
export const findFusion = ({
  type,
  ...own
}: FusionConfig): Promise<Found<FusionOptions<string>, Fusion<string>>> =>
  find(
    {
      kind: 'fusion',
      known: KNOWN_FUSIONS,
      make: (definition: AnyFusion, spec, options, place) => definition.make(spec, options, place),
      what: () => 'the fusion',
      accept(made, module) {
        const fusion = made as Fusion<string> | undefined;
        if (typeof fusion?.apply === 'function' && fusion.layers) return fusion;
        return refused(made, module, 'fusion.path', 'a Fusion', '');
      },
    },
    entryOf(type, own, 'fusion'),
  );
