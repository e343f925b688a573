// The form of settings: one field for each, made from the catalog; what is wrong is said beside the field, and nothing else changes.
import { methodOf, type Catalog, type CatalogMethod, type Control } from '../catalog.js';
import {
  BACKENDS,
  isUnchangedData,
  numberProblem,
  RANGES,
  readControl,
  valueOf,
  type NumberSetting,
  type Settings,
} from '../settings.js';
import { byId, element } from './element.js';

const BACKEND_LABELS: Readonly<Record<Settings['backend'], string>> = {
  auto: 'the fastest',
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'plain JavaScript',
};

interface Words {
  readonly label: string;
  readonly help: string;
}

const NUMBER_WORDS: Readonly<Record<NumberSetting, Words>> = {
  signalToNoise: {
    label: 'Loudness of the voice',
    help: 'decibels over the noise: lower is louder noise',
  },
  imageComponents: {
    label: 'Detail of the picture',
    help: 'principal components that are kept, of 784: fewer leave less to see',
  },
  epochs: { label: 'Epochs', help: 'rounds through the 1,000 training pairs' },
  seed: { label: 'Seed', help: 'of first weights, order and crops' },
};

/**
 * Shows the settings and follows them.
 *
 * @param change Called with the settings after each change that makes sense.
 * @returns Puts other settings into the form.
 */
export function settingsForm(
  catalog: Catalog,
  change: (settings: Settings) => void,
): (settings: Settings) => void {
  let current: Settings;
  const update = (part: Partial<Settings>): void => {
    current = { ...current, ...part };
    change(current);
    render();
  };

  function render(): void {
    // Whoever is at a field by keyboard stays there.
    const active = document.activeElement?.id;
    const method = methodOf(catalog, current.method) as CatalogMethod;
    byId('method-controls').replaceChildren(
      choice(
        { id: 'method', label: 'What is trained', help: method.summary },
        catalog.map(({ name, label }) => [name, label]),
        current.method,
        (name) => update({ method: name, options: {} }),
      ),
      ...(method.formula === '' ? [] : [element('p', { class: 'formula' }, method.formula)]),
      ...ofKind(method.controls, true).map(optionField),
      ...more(ofKind(method.controls, false).map(optionField)),
    );
    byId('data-controls').replaceChildren(numberField('signalToNoise'), numberField('imageComponents'));
    byId('training-controls').replaceChildren(
      numberField('epochs'),
      numberField('seed'),
      flag(
        { id: 'beside', label: 'Joint training beside it', help: 'from the same seed' },
        current.beside,
        (beside) => update({ beside }),
      ),
      ...(method.teachers ? [teachersField()] : []),
      choice(
        { id: 'backend-choice', label: 'Computed by', help: 'measured when the training starts' },
        BACKENDS.map((name) => [name, BACKEND_LABELS[name]]),
        current.backend,
        (backend) => update({ backend: backend as Settings['backend'] }),
      ),
    );
    if (active) document.getElementById(active)?.focus();
  }

  let isOpen = false;
  /** What is rarely changed, folded away. */
  const more = (fields: readonly HTMLElement[]): readonly HTMLElement[] => {
    if (fields.length === 0) return [];
    const details = element(
      'details',
      { class: 'more', open: isOpen },
      element('summary', {}, 'More options'),
      ...fields,
    );
    details.addEventListener('toggle', () => (isOpen = details.open));
    return [details];
  };

  const teachersField = (): HTMLElement => {
    const loadable = isUnchangedData(current);
    return choice(
      {
        id: 'teachers',
        label: 'Teachers',
        help: loadable
          ? 'loading takes a moment, training them here a minute or two'
          : 'the loaded ones know the unchanged data alone, so they are trained here',
      },
      loadable
        ? [
            ['loaded', 'loaded'],
            ['page', 'trained here first'],
          ]
        : [['page', 'trained here first']],
      loadable ? current.teachers : 'page',
      (teachers) => update({ teachers: teachers as Settings['teachers'] }),
    );
  };

  const numberField = (key: NumberSetting): HTMLElement => {
    const range = RANGES[key];
    return number({ id: key, ...NUMBER_WORDS[key] }, { ...range, value: current[key] }, (text) => {
      const accepted = numberProblem(text, range);
      if (accepted === undefined) update({ [key]: Number(text) });
      return accepted;
    });
  };

  const optionField = (control: Control): HTMLElement => {
    const { key, help } = control;
    const value = valueOf(current, control);
    const set = (text: string): string | undefined => {
      const result = readControl(control, text, current.epochs);
      if ('accepted' in result) return result.accepted;
      update({ options: { ...current.options, [key]: result.value } });
      return undefined;
    };
    const option = key.slice(key.indexOf('.') + 1);
    switch (control.kind) {
      case 'number':
        return number(
          {
            id: key,
            label: option,
            help: control.byEpochs ? `${help}; follows the number of epochs until it is set` : help,
          },
          { ...control, value: value as number },
          set,
        );
      case 'phases':
        return number(
          { id: key, label: 'Epochs in which one goes first', help },
          { min: 0, max: current.epochs, whole: true, value: value as number },
          set,
        );
      case 'choice':
        return choice(
          { id: key, label: option, help },
          control.choices.map((name) => [name, name]),
          value as string,
          (text) => void set(text),
        );
      case 'flag':
        return flag({ id: key, label: option, help }, value as boolean, (is) => void set(String(is)));
    }
  };

  return (settings) => {
    current = settings;
    render();
  };
}

/** Strengths and lengths, phases first; or what has a few choices. */
const ofKind = (controls: readonly Control[], isNumber: boolean): readonly Control[] =>
  controls
    .filter(({ kind }) => isNumber === (kind === 'number' || kind === 'phases'))
    .sort((a, b) => Number(b.kind === 'phases') - Number(a.kind === 'phases'));

type Named = Words & { readonly id: string };

function field({ id, label, help }: Named, input: HTMLElement, ...more: readonly HTMLElement[]): HTMLElement {
  return element(
    'div',
    { class: 'field' },
    element('label', { for: id }, label),
    input,
    ...(help === '' ? [] : [element('p', { id: `${id}-help`, class: 'help' }, help)]),
    ...more,
  );
}

function number(
  words: Named,
  { value, min, max, whole }: { value: number; min?: number; max?: number; whole: boolean },
  set: (text: string) => string | undefined,
): HTMLElement {
  const { id, label } = words;
  const input = element('input', {
    id,
    type: 'number',
    inputmode: whole ? 'numeric' : 'decimal',
    value,
    min,
    max,
    step: whole ? 1 : 'any',
    'aria-describedby': `${id}-help ${id}-problem`,
  });
  const problem = element('p', { id: `${id}-problem`, class: 'problem', role: 'alert' });
  input.addEventListener('change', () => {
    const accepted = set(input.value);
    input.setAttribute('aria-invalid', String(accepted !== undefined));
    problem.textContent = accepted === undefined ? '' : `${label} must be ${accepted}; ${value} stays.`;
  });
  return field(words, input, problem);
}

function choice(
  words: Named,
  options: readonly (readonly [value: string, label: string])[],
  value: string,
  set: (value: string) => void,
): HTMLElement {
  const input = element(
    'select',
    { id: words.id, 'aria-describedby': `${words.id}-help` },
    ...options.map(([name, label]) => element('option', { value: name, selected: name === value }, label)),
  );
  input.addEventListener('change', () => set(input.value));
  return field(words, input);
}

function flag({ id, label, help }: Named, value: boolean, set: (value: boolean) => void): HTMLElement {
  const input = element('input', { id, type: 'checkbox', checked: value, 'aria-describedby': `${id}-help` });
  input.addEventListener('change', () => set(input.checked));
  return element(
    'div',
    { class: 'field flag' },
    input,
    element('label', { for: id }, label),
    element('p', { id: `${id}-help`, class: 'help' }, help),
  );
}
