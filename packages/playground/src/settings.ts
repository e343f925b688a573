// What is set on the page, and how it stands in its address, so that a setting can be sent to somebody.
import { methodOf, type Catalog, type CatalogMethod, type Control } from './catalog.js';

export type Value = number | string | boolean;

export const BACKENDS = ['auto', 'webgpu', 'webgl', 'wasm', 'cpu'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

/** Everything that decides what is trained. */
export interface Settings {
  readonly method: string;
  readonly epochs: number;
  readonly seed: number;
  /** Decibels of the spoken digit over the noise. */
  readonly signalToNoise: number;
  /** Principal components of a picture that are kept. */
  readonly imageComponents: number;
  /** Whether joint training runs beside the method. */
  readonly beside: boolean;
  /** Where the teachers come from. The loaded ones know the unchanged data alone. */
  readonly teachers: 'loaded' | 'page';
  readonly backend: BackendChoice;
  /** By key of the method's controls; what is not there has the control's default. */
  readonly options: Readonly<Record<string, Value>>;
}

export const DEFAULTS: Settings = {
  method: 'g2d',
  epochs: 60,
  seed: 0,
  signalToNoise: -5,
  imageComponents: 8,
  beside: true,
  teachers: 'loaded',
  backend: 'auto',
  options: {},
};

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

/** The numbers among the settings. */
export const RANGES = {
  epochs: { min: 4, max: 200, whole: true },
  seed: { min: 0, max: 2 ** 31 - 1, whole: true },
  signalToNoise: { min: -20, max: 20, whole: true },
  imageComponents: { min: 1, max: 32, whole: true },
} as const satisfies Readonly<Record<string, Range>>;

export type NumberSetting = keyof typeof RANGES;
const NUMBERS = Object.keys(RANGES) as NumberSetting[];

/** Why a text is no number of a range; `undefined` if it is one. */
export function numberProblem(text: string, { min, max, whole }: Partial<Range>): string | undefined {
  const value = Number(text);
  const fits =
    text.trim() !== '' &&
    Number.isFinite(value) &&
    (!whole || Number.isInteger(value)) &&
    value >= (min ?? -Infinity) &&
    value <= (max ?? Infinity);
  if (fits) return undefined;
  const kind = whole ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind} of at least ${min}`;
  return max === undefined ? kind : `${kind} of at most ${max}`;
}

/** What a text means to a control. @returns Its value, or what would be accepted. */
export function readControl(
  control: Control,
  text: string,
  epochs: number,
): { readonly value: Value } | { readonly accepted: string } {
  switch (control.kind) {
    case 'number':
    case 'phases': {
      const range = control.kind === 'number' ? control : { min: 0, max: epochs, whole: true };
      const accepted = numberProblem(text, range);
      return accepted === undefined ? { value: Number(text) } : { accepted };
    }
    case 'choice':
      return control.choices.includes(text)
        ? { value: text }
        : { accepted: `one of ${control.choices.join(', ')}` };
    case 'flag':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { accepted: 'true or false' };
  }
}

/** The value of a control; of phases never more than there are epochs. */
export function valueOf({ options, epochs }: Settings, control: Control): Value {
  const own = options[control.key];
  if (control.kind === 'number')
    return own ?? control.byEpochs?.[epochs - RANGES.epochs.min] ?? control.default;
  if (control.kind !== 'phases') return own ?? control.default;
  return Math.min(epochs, (own as number | undefined) ?? Math.round(control.default * epochs));
}

/**
 * Reads the part of an address behind `#`.
 *
 * @returns The settings, with defaults for what is missing or makes no sense, and a sentence for each thing that does not.
 */
export function parseAddress(
  hash: string,
  catalog: Catalog,
): { readonly settings: Settings; readonly problems: readonly string[] } {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const problems: string[] = [];
  const used = new Set<string>();
  const read = <T>(
    key: string,
    fallback: T,
    parse: (text: string) => { value: T } | { accepted: string },
  ): T => {
    const text = given.get(key);
    used.add(key);
    if (text === null) return fallback;
    const result = parse(text);
    if ('value' in result) return result.value;
    problems.push(
      `The address has ${key} = "${shortened(text)}", which must be ${result.accepted}; ${String(fallback)} is taken.`,
    );
    return fallback;
  };
  const oneOf =
    <T extends string>(choices: readonly T[]) =>
    (text: string) =>
      choices.includes(text as T) ? { value: text as T } : { accepted: `one of ${choices.join(', ')}` };
  const numbers = Object.fromEntries(
    NUMBERS.map((key) => [
      key,
      read(key, DEFAULTS[key], (text) => {
        const accepted = numberProblem(text, RANGES[key]);
        return accepted === undefined ? { value: Number(text) } : { accepted };
      }),
    ]),
  ) as Record<NumberSetting, number>;
  const names = catalog.map(({ name }) => name);
  const method = read('method', DEFAULTS.method, oneOf(names));
  const definition = methodOf(catalog, method) as CatalogMethod;
  const options: Record<string, Value> = {};
  for (const control of definition.controls) {
    if (!given.has(control.key)) continue;
    const fallback = valueOf({ ...DEFAULTS, ...numbers }, control);
    const value = read(control.key, fallback, (text) => readControl(control, text, numbers.epochs));
    if (value !== fallback) options[control.key] = value;
  }
  const settings: Settings = {
    ...numbers,
    method,
    beside: read('beside', DEFAULTS.beside ? 'joint' : 'nothing', oneOf(['joint', 'nothing'])) === 'joint',
    teachers: read('teachers', DEFAULTS.teachers, oneOf(['loaded', 'page'])),
    backend: read('backend', DEFAULTS.backend, oneOf(BACKENDS)),
    options,
  };
  const known = new Set([...used, ...catalog.flatMap(({ controls }) => controls.map(({ key }) => key))]);
  for (const key of given.keys())
    if (!known.has(key)) problems.push(`The address has "${shortened(key)}", which this page does not know.`);
  return { settings, problems };
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The address of settings, with `#`; nothing where everything has its default. */
export function formatAddress(settings: Settings, catalog: Catalog): string {
  const address = new URLSearchParams();
  for (const key of ['method', ...NUMBERS, 'teachers', 'backend'] as const)
    if (settings[key] !== DEFAULTS[key]) address.set(key, String(settings[key]));
  if (settings.beside !== DEFAULTS.beside) address.set('beside', 'nothing');
  for (const control of methodOf(catalog, settings.method)?.controls ?? []) {
    const value = valueOf(settings, control);
    if (value !== valueOf({ ...settings, options: {} }, control)) address.set(control.key, String(value));
  }
  const text = address.toString();
  return text === '' ? '' : `#${text}`;
}

/** Options of the definitions of a method, as a configuration has them. */
export function methodOptions(
  settings: Settings,
  { fixed, controls }: Pick<CatalogMethod, 'fixed' | 'controls'>,
): Record<string, Record<string, unknown>> {
  const options: Record<string, Record<string, unknown>> = {};
  for (const [part, values] of Object.entries(fixed)) options[part] = { ...values };
  for (const control of controls) {
    const dot = control.key.indexOf('.');
    const [part, option] = [control.key.slice(0, dot), control.key.slice(dot + 1)];
    const value = valueOf(settings, control);
    (options[part] ??= {})[option] =
      control.kind === 'phases' ? [value, settings.epochs - (value as number)] : value;
  }
  return options;
}

/** Whether the data are those that the loaded teachers know. */
export const isUnchangedData = ({ signalToNoise, imageComponents }: Settings): boolean =>
  signalToNoise === DEFAULTS.signalToNoise && imageComponents === DEFAULTS.imageComponents;
