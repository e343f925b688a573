import type { Run } from '../run.js';
import { rowSettings } from './group-runs.js';

/** A setting beside the method in which two rows differ. */
export interface SettingDifference {
  /** Dotted, as in a configuration: `optimizer.learningRate`. */
  readonly key: string;
  /** `undefined` where the run does not say it. */
  readonly own: string | undefined;
  readonly other: string | undefined;
}

/**
 * The method itself and what only it reads, what changes no number, and what was recorded beside the settings.
 */
const OTHER_THAN_SETTINGS = [
  /^(method|methodOptions)(\.|$)/,
  /^(teacherOutputs|teacherPrecision|teacher )/,
  /^(checkpoints|data\.(workers|prefetch|cache|inMemory)|evaluation\.batchSize)(\.|$)/,
  /^(\$schema|format|kind|model|continued)(\.|$)/,
];

/** What a comparison of two rows takes for equal, and is not. */
export function settingDifferences(row: Run, other: Run): SettingDifference[] {
  const [own, there] = [effective(row), effective(other)];
  return [...new Set([...own.keys(), ...there.keys()])]
    .filter((key) => own.get(key) !== there.get(key))
    .map((key) => ({ key, own: own.get(key), other: there.get(key) }));
}

/** Settings that decide in which order a seed sees which data. */
export const decidesOrder = ({ key }: SettingDifference): boolean =>
  /^(batchSize|accumulate|dataset|data)(\.|$)/.test(key);

function effective(run: Run): Map<string, string> {
  const settings = new Map(
    [...rowSettings(run)].filter(([key]) => !OTHER_THAN_SETTINGS.some((pattern) => pattern.test(key))),
  );
  if (!hasOwnFusion(run)) return settings;
  for (const key of settings.keys()) if (/^fusion(\.|$)/.test(key)) settings.delete(key);
  return settings.set('fusion.type', "the method's own");
}

/** A method that brings its fusion leaves that of the configuration unused; the run says so by recording none. */
const hasOwnFusion = ({ config: { components, modalities, ...config } }: Run): boolean =>
  components !== undefined &&
  components.fusion === undefined &&
  modalities.length > 1 &&
  (config as { readonly fusion?: { readonly type?: string } }).fusion?.type !== 'module';
