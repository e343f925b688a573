import { OptionError, shown } from '@g2d/core';

/** An option of a method that earlier versions knew under another name, or with other values. */
interface OldOption {
  readonly method: string;
  readonly option: string;
  /** Default: every value is an old one. */
  readonly isOld?: (value: unknown) => boolean;
  /** What stands in its place today. */
  readonly now: (value: unknown) => Readonly<Record<string, unknown>>;
}

const reference = (value: unknown): { reference: unknown } => ({
  reference: value === 'released' ? 'official' : value,
});

const OLD_OPTIONS: readonly OldOption[] = [
  { method: 'smp', option: 'schedule', now: reference },
  { method: 'mses', option: 'form', now: reference },
  {
    method: 'mla',
    option: 'projection',
    isOld: (value) => typeof value === 'string',
    now: (value) => ({
      projection: value !== 'off',
      ...(value === 'released-elementwise' && { reference: 'official' }),
    }),
  },
];

type Options = Readonly<Record<string, unknown>>;

/** The options of a method in a record of settings, if they have an old one. */
function optionsWith(
  { method, option, isOld = () => true }: OldOption,
  settings: Options,
): Options | undefined {
  const own = (settings['methodOptions'] as Options | undefined)?.[method] as Options | undefined;
  return own?.[option] !== undefined && isOld(own[option]) ? own : undefined;
}

/** The settings of a run folder with options of methods as they are called today. */
export function currentMethodOptions(settings: Options): Options {
  return OLD_OPTIONS.reduce<Options>((all, old) => {
    const found = optionsWith(old, all);
    if (!found) return all;
    const { [old.option]: value, ...others } = found;
    const methodOptions = all['methodOptions'] as Options;
    return { ...all, methodOptions: { ...methodOptions, [old.method]: { ...others, ...old.now(value) } } };
  }, settings);
}

/** @throws {OptionError} If somebody's settings have an option of a method under an old name; it says the new one. */
export function refuseOldMethodOptions(settings: Options, where: string): void {
  for (const old of OLD_OPTIONS) {
    const value = optionsWith(old, settings)?.[old.option];
    if (value === undefined) continue;
    const key = `methodOptions.${old.method}`;
    const now = Object.entries(old.now(value)).map(([name, of]) => `"${name}": ${shown(of)}`);
    throw new OptionError(
      `In ${where}, "${key}.${old.option}" is ${shown(value)}, as earlier versions had it; in "${key}" write ${now.join(', ')} in its place.`,
      { option: `${key}.${old.option}`, value, accepted: now.join(', ') },
    );
  }
}
