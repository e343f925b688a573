import { UnknownModalityError } from '@g2d/core';
import type { RunConfig } from './config-schema.js';
import { OLD_MASKS } from './legacy-settings.js';
import { modalitiesOf, type ModelData } from './modalities.js';

/** What a configuration says of masks. */
export type Missing = NonNullable<RunConfig['data']['missing']>;

/** With nothing left open: what a run records, so that it goes on under the same masks whatever the defaults are by then. */
export type SettledMissing = Missing & { readonly modalities: string[] | 'all' };

/**
 * The masks of a run: drawn from its own seed, over the modalities that it has, unless it says otherwise.
 *
 * @throws {UnknownModalityError} If `data.missing.modalities` names one that the dataset has not.
 */
export function settledMissing(config: RunConfig, data: ModelData): SettledMissing | undefined {
  const { missing } = config.data;
  if (!missing) return undefined;
  const { modalities = [...modalitiesOf(config, data)], masks, seed = config.seed } = missing;
  const unknown =
    modalities === 'all' ? undefined : modalities.find((name) => !data.modalities.includes(name));
  if (unknown !== undefined)
    throw new UnknownModalityError({
      modality: unknown,
      known: data.modalities,
      where: `The dataset ${data.name} ("data.missing.modalities")`,
    });
  return { ...missing, modalities, ...(masks === undefined && { seed }) };
}

/**
 * The settings of a run that goes on, under the masks that it began with: what they leave open is as recorded. One of an earlier version, whose masks are
 * over all modalities of its dataset, keeps these.
 */
export function withRecordedMasks(config: RunConfig, begun: RunConfig): RunConfig {
  const [now, before] = [config.data.missing, begun.data.missing];
  if (!now || !before) return config;
  const { modalities, seed, ...rest } = now;
  const kept = {
    seed: seed ?? before.seed,
    modalities:
      before.modalities === OLD_MASKS.modalities ? before.modalities : (modalities ?? before.modalities),
  };
  const missing = Object.fromEntries(
    Object.entries({ ...rest, ...kept }).filter(([, value]) => value !== undefined),
  ) as Missing;
  return { ...config, data: { ...config.data, missing } };
}
