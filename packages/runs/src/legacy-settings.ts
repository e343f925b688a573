import { OptionError, shown } from '@g2d/core';

/** A setting that earlier versions knew under another name, or a value of it. */
interface OldSetting {
  readonly path: readonly [...string[], string];
  /** The name in its place. Default: the same. */
  readonly name?: string;
  /** Old values → those in their place. Default: the same. */
  readonly values?: Readonly<Record<string, string>>;
}

const OLD_SETTINGS: readonly OldSetting[] = [
  { path: ['dataset', 'faithful'], name: 'official' },
  { path: ['dataset', 'parts'], name: 'splits' },
  { path: ['data', 'missing', 'sampler'], values: { released: 'official' } },
  { path: ['optimizer', 'schedule', 'minimum'], name: 'min' },
];

type Settings = Readonly<Record<string, unknown>>;

/** The object that has an old setting, if there is one. A module of the user's has options of its own, which are not looked at. */
function holderOf({ path, values }: OldSetting, settings: Settings): Settings | undefined {
  const holder = path
    .slice(0, -1)
    .reduce<unknown>((inner, key) => (inner as Settings | undefined)?.[key], settings) as
    Settings | undefined;
  const value = holder?.[path.at(-1) as string];
  return value === undefined || (values && !Object.hasOwn(values, String(value))) ? undefined : holder;
}

const nowOf = ({ path, name = path.at(-1) as string, values }: OldSetting, value: unknown) => ({
  [name]: values ? values[String(value)] : value,
});

/** What run folders of earlier versions do not say of their masks: what it was. */
export const OLD_MASKS = { seed: 0, modalities: 'all' } as const;

/** The settings of a run folder as they are called today. */
export function currentSettings(settings: Settings): Settings {
  return withOldMasks(renamed(settings));
}

/** Where nothing is drawn there is no seed. */
function withOldMasks(settings: Settings): Settings {
  const { data } = settings as { readonly data?: { readonly missing?: Settings } };
  if (!data?.missing) return settings;
  const { seed, modalities } = OLD_MASKS;
  const old = data.missing['masks'] === undefined ? { modalities, seed } : { modalities };
  return { ...settings, data: { ...data, missing: { ...old, ...data.missing } } };
}

function renamed(settings: Settings): Settings {
  return OLD_SETTINGS.reduce<Settings>((all, old) => {
    const holder = holderOf(old, all);
    if (!holder) return all;
    const { [old.path.at(-1) as string]: value, ...others } = holder;
    return replaced(all, old.path.slice(0, -1), { ...others, ...nowOf(old, value) });
  }, settings);
}

function replaced(settings: Settings, [first, ...rest]: readonly string[], value: Settings): Settings {
  if (first === undefined) return value;
  return { ...settings, [first]: replaced(settings[first] as Settings, rest, value) };
}

/** @throws {OptionError} If somebody's settings have one under an old name; it says the new one. */
export function refuseOldSettings(settings: Settings, where: string): void {
  for (const old of OLD_SETTINGS) {
    const value = holderOf(old, settings)?.[old.path.at(-1) as string];
    if (value === undefined) continue;
    const key = old.path.join('.');
    const holder = old.path.slice(0, -1).join('.');
    const now = Object.entries(nowOf(old, value)).map(([name, of]) => `"${name}": ${shown(of)}`);
    throw new OptionError(
      `In ${where}, "${key}" is ${shown(value)}, as earlier versions had it; in "${holder}" write ${now.join(', ')} in its place.`,
      { option: key, value, accepted: now.join(', ') },
    );
  }
}
