import { FileFormatError, OptionError, ShapeError } from '@g2d/core';
import type { CheckpointTensor } from './decode-checkpoint.js';
import type { TorchParameter } from './torch-parameters.js';

/** Which tensor of a checkpoint belongs to which variable. */
export interface CheckpointMatch {
  /** What stands before the encoder's names in the checkpoint. */
  readonly prefix: string;
  readonly pairs: readonly {
    readonly parameter: TorchParameter;
    readonly name: string;
    readonly tensor: CheckpointTensor;
    /** What becomes of its input channels, where the model has one and the tensor has more. */
    readonly channels?: Channels;
  }[];
}

/** How a kernel over several input channels becomes one over a single channel. */
export type Channels = 'sum' | 'mean';

/** How a caller is told to say something: in code, or in a configuration. */
export type Saying = (options: { readonly prefix?: string; readonly channels?: Channels }) => string;

interface Request {
  readonly parameters: readonly TorchParameter[];
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** The checkpoint's and the model's name, for messages. */
  readonly path: string;
  readonly model: string;
  /** Found by itself if left out. */
  readonly prefix?: string | undefined;
  /** Default: kernels must have the model's number of channels. */
  readonly channels?: Channels | undefined;
  readonly say: Saying;
}

/** More than the networks in any checkpoint: each is compared tensor by tensor. */
const MOST_PREFIXES = 64;

/**
 * Finds a model's tensors in a checkpoint.
 *
 * Without `prefix` every prefix is tried under which the checkpoint has all of the encoder's names; it must fit with all
 * shapes, and exactly one may. A classifier is looked for under the same prefix, then under shorter ones: the reference's
 * teachers have `net.conv1.weight` and `classifier.weight`.
 *
 * Tensors elsewhere are left alone, but not those among the model's own modules, such as a third block in `layer1`: they
 * belong to a larger network (`num_batches_tracked` excepted, which only momentum `None` uses).
 *
 * @throws {OptionError} If a tensor is missing or left over, or several prefixes fit.
 * @throws {ShapeError} If a tensor has another shape.
 */
export function matchCheckpoint(request: Request): CheckpointMatch {
  const { tensors, prefix, path } = request;
  // A model that is nothing but a classifier has no other names to go by.
  const parameters = request.parameters.every(({ isHead }) => isHead)
    ? request.parameters.map((parameter) => ({ ...parameter, isHead: false }))
    : request.parameters;
  const encoder = parameters.filter(({ isHead }) => !isHead);
  const counts = countByPrefix(new Set(encoder.map(({ name }) => name)), tensors.keys());
  const complete = [...counts].filter(([, count]) => count === encoder.length).map(([found]) => found);
  const attempt = (found: string): CheckpointMatch | Error => match(found, parameters, request);

  if (prefix !== undefined) return orThrow(attempt(prefix));
  if (complete.length > MOST_PREFIXES) {
    throw new OptionError(
      `${path} has the names of the model "${request.model}" under ${complete.length} prefixes, such as ${some(complete.map(quote))}. Say which: ${request.say({ prefix: complete[0] as string })}.`,
      { option: 'prefix', value: undefined, accepted: 'one of the prefixes' },
    );
  }
  const attempts = complete.map(attempt);
  const [first, second] = attempts.filter((result) => !(result instanceof Error)) as CheckpointMatch[];
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    const fitting = attempts.flatMap((result) => (result instanceof Error ? [] : [result.prefix]));
    const accepted = fitting.map(quote);
    throw new OptionError(
      `${path} has several networks that fit the model "${request.model}", under the prefixes ${some(accepted, 10)}. Say which: ${request.say({ prefix: fitting[0] as string })}.`,
      { option: 'prefix', value: undefined, accepted: accepted.join(', ') },
    );
  }
  if (attempts.length > 1) {
    throw new OptionError(
      `${path} has several networks with the names of the model "${request.model}", and none fits: ${attempts.map((error) => (error as Error).message).join(' ')}`,
      { option: 'prefix', value: undefined, accepted: complete.map(quote).join(', ') },
    );
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0].length - b[0].length);
  return orThrow(attempts[0] ?? attempt(best?.[0] ?? ''));
}

/** How many of the names the checkpoint has under each prefix: `net.conv1.weight` has `conv1.weight` after `net.`. */
function countByPrefix(names: ReadonlySet<string>, available: Iterable<string>): ReadonlyMap<string, number> {
  const lengths = new Set([...names].map((name) => name.split('.').length));
  const counts = new Map<string, number>();
  for (const name of available) {
    const parts = name.split('.');
    for (const length of lengths) {
      const own = parts.slice(-length).join('.');
      if (length > parts.length || !names.has(own)) continue;
      const prefix = name.slice(0, name.length - own.length);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return counts;
}

function match(
  prefix: string,
  parameters: readonly TorchParameter[],
  { tensors, path, model, channels, say }: Request,
): CheckpointMatch | Error {
  const heads = parameters.filter(({ isHead }) => isHead);
  const headPrefix =
    shorter(prefix).find((start) => heads.every(({ name }) => tensors.has(start + name))) ?? prefix;
  const rows = parameters.map((parameter) => {
    const name = (parameter.isHead ? headPrefix : prefix) + parameter.name;
    return { parameter, name, tensor: tensors.get(name) };
  });

  const missing = rows.filter(({ tensor }) => tensor === undefined);
  const [absent] = missing;
  if (absent !== undefined) {
    const has = some([...tensors.keys()].map(quote));
    return new OptionError(
      `${path} has no tensor ${quote(absent.name)} for the variable ${absent.parameter.variable.originalName} (${missing.length} of ${rows.length} are missing): it is of another architecture, or under another prefix. It has ${has}.`,
      { option: 'file', value: path, accepted: `a checkpoint with ${absent.name}` },
    );
  }
  for (const { parameter, name, tensor } of rows as CheckpointMatch['pairs']) {
    if (tensor.problem !== undefined) {
      return new FileFormatError(path, `tensor ${quote(name)} ${tensor.problem}.`);
    }
    const isColour = hasMoreChannels(parameter, tensor);
    if (tensor.shape.join() === parameter.shape.join() || (isColour && channels !== undefined)) continue;
    const remedy = isColour
      ? `the checkpoint is for ${tensor.shape[1]} channels. Their kernels can be added (${say({ ...(prefix !== '' && { prefix }), channels: 'sum' })}), or averaged ('mean')`
      : 'the checkpoint is of another architecture';
    return new ShapeError({
      argument: `${name} of ${path}`,
      expected: `[${parameter.shape.join(', ')}] for the variable ${parameter.variable.originalName} [${parameter.variable.shape.join(', ')}]: ${remedy}`,
      actual: tensor.shape,
    });
  }
  const used = new Set(rows.map(({ name }) => name));
  const modules = new Set(parameters.filter(({ isHead }) => !isHead).map(({ name }) => name.split('.')[0]));
  const excess = [...tensors.keys()].find(
    (name) =>
      name.startsWith(prefix) &&
      !used.has(name) &&
      modules.has(name.slice(prefix.length).split('.')[0]) &&
      !name.endsWith('.num_batches_tracked'),
  );
  if (excess !== undefined) {
    return new OptionError(
      `${path} has a tensor ${quote(excess)}, for which the model "${model}" has no variable: the checkpoint is of another architecture.`,
      { option: 'file', value: path, accepted: `a checkpoint without ${excess}` },
    );
  }
  const pairs = (rows as CheckpointMatch['pairs']).map((pair) =>
    channels !== undefined && hasMoreChannels(pair.parameter, pair.tensor) ? { ...pair, channels } : pair,
  );
  return { prefix, pairs };
}

/** Whether a tensor is a kernel for more input channels than the one that the model has, and else the same. */
function hasMoreChannels({ isKernel, shape }: TorchParameter, tensor: CheckpointTensor): boolean {
  const [outputs, inputs, ...window] = tensor.shape;
  return (
    isKernel &&
    shape[1] === 1 &&
    inputs !== undefined &&
    inputs > 1 &&
    [outputs, 1, ...window].join() === shape.join()
  );
}

/** A prefix and all its beginnings: `module.net.`, `module.`, and nothing. */
function shorter(prefix: string): readonly string[] {
  const parts = prefix.split('.');
  return parts.map((_, i) =>
    parts
      .slice(0, parts.length - 1 - i)
      .map((part) => `${part}.`)
      .join(''),
  );
}

function orThrow(result: CheckpointMatch | Error): CheckpointMatch {
  if (result instanceof Error) throw result;
  return result;
}

const quote = (name: string): string => `'${name}'`;

function some(items: readonly string[], most = 4): string {
  if (items.length === 0) return 'no tensors';
  const rest = items.length - most;
  return items.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
