import type { RunConfig } from './run.js';

/** τ_1 … τ_k in epochs, wherever the configuration has them; `undefined` where nothing is prioritized. */
export function phaseEpochsOf(config: RunConfig): readonly number[] | undefined {
  const value = methodOption(config, 'phaseEpochs');
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
    ? (value as number[])
    : undefined;
}

/** Which parameters κ touches. */
export function scopeOf(config: RunConfig): string | undefined {
  const value = methodOption(config, 'scope');
  return typeof value === 'string' ? value : undefined;
}

/** Does sequential modality prioritization decide who trains? */
export function isPrioritized(config: RunConfig): boolean {
  const parts = config.method.split('+');
  return parts.includes('smp') || parts.includes('g2d') || phaseEpochsOf(config) !== undefined;
}

function methodOption(config: RunConfig, option: string): unknown {
  for (const options of Object.values(config.methodOptions ?? {})) {
    if (options[option] !== undefined) return options[option];
  }
  return config[option];
}

/** What the data of a run are: the options of its dataset without where they lie. */
export function dataOptions({ dataset = {} }: RunConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(dataset).filter(([key]) => key !== 'root'));
}

/** The dataset's name, as far as the configuration tells. */
export const datasetNameOf = ({ dataset }: RunConfig): string => dataset?.name ?? '';

/**
 * Settings as pairs of a dotted path and a text: `optimizer.learningRate` → `0.05`. Lists of plain values are one entry.
 *
 * Equal settings give equal pairs, in whatever order the keys of a file are.
 */
export function flatSettings(settings: Readonly<Record<string, unknown>>): Map<string, string> {
  const flat = new Map<string, string>();
  const add = (path: string, value: unknown): void => {
    if (value === undefined || value === null) return;
    const isList = Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
    if (typeof value !== 'object' || isList) {
      flat.set(path, isList ? value.map(String).join(', ') : String(value));
      return;
    }
    for (const key of Object.keys(value).sort()) {
      add(path === '' ? key : `${path}.${key}`, (value as Record<string, unknown>)[key]);
    }
  };
  add('', settings);
  return flat;
}
