import type { RunConfig } from './run.js';

/** How a method is called and what it does, in words for a reader who does not know it. */
export interface MethodWords {
  readonly label: string;
  readonly description: string;
}

/** In the order in which they are shown where nothing else decides. Words are for folders of earlier versions, which hold none. */
const METHODS: ReadonlyMap<string, MethodWords> = new Map([
  ['joint', { label: 'Joint training', description: 'everything at once, nothing done about imbalance' }],
  [
    'linear-probe',
    { label: 'Linear probe', description: 'the teachers’ encoders, frozen, with a new output layer' },
  ],
  ['ume', { label: 'UME', description: 'the teachers’ answers combined, nothing trained jointly' }],
  ['umt', { label: 'UMT', description: 'learns from the teachers’ features' }],
  ['ogm', { label: 'OGM', description: 'slows down the modality that is ahead, batch by batch' }],
  ['ogm-ge', { label: 'OGM-GE', description: 'OGM, with noise added to the slowed gradients' }],
  ['mses', { label: 'MSES', description: 'each modality stops where its own validation loss stops falling' }],
  ['mla', { label: 'MLA', description: 'the modalities take turns, with one shared output layer' }],
  [
    'mm-pareto',
    { label: 'MMPareto', description: 'seeks a step that helps the fused and the single losses' },
  ],
  ['smp', { label: 'SMP only', description: 'the least confident modality trains alone first' }],
  ['g2d-loss', { label: 'G2D loss only', description: 'learns from the teachers, no modality goes first' }],
  ['umt+smp', { label: 'UMT + SMP', description: 'UMT, and the least confident modality goes first' }],
  ['g2d', { label: 'G2D', description: 'learns from the teachers, the least confident modality goes first' }],
]);

/** Stacks of methods that have a name of their own. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['joint+smp', 'smp'],
  ['g2d-loss+smp', 'g2d'],
]);

/** How a method is called inside of a stack. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['smp', 'SMP'],
  ['g2d-loss', 'G2D loss'],
]);

/** Name of the entry of `results` that averages the teachers' logits: a reference, not a trained model. */
export const TEACHER_MEAN = 'teacher-mean';

const REFERENCE: MethodWords = {
  label: 'Mean of teachers',
  description: 'reference: the teachers’ logits averaged, nothing trained jointly',
};

/** Words for a method or a stack of methods; one that is not known here goes by its own name. */
export function methodWords(method: string): MethodWords {
  if (method === TEACHER_MEAN) return REFERENCE;
  const known = METHODS.get(SAME.get(method) ?? method);
  if (known) return known;
  const parts = method.split('+');
  if (parts.length === 1) return { label: method, description: '' };
  const label = parts.map((part) => PARTS.get(part) ?? METHODS.get(part)?.label ?? part).join(' + ');
  return { label, description: '' };
}

/** Words for the method of a run: those that its folder has, from the definitions of its methods. */
export function wordsOf({ method, components }: Pick<RunConfig, 'method' | 'components'>): MethodWords {
  const recorded = components?.method;
  if (!recorded || recorded.length === 0) return methodWords(method);
  const [only] = recorded.length === 1 ? recorded : [];
  return { label: recorded.map(({ label }) => label).join(' + '), description: only?.summary ?? '' };
}

/** Words for a name in a group of runs: those of the method of the run that is called after it. */
export function wordsAmong(runs: readonly { readonly config: RunConfig }[], name: string): MethodWords {
  const run = runs.find(
    ({ config }) => config.kind === 'student' && config.method === name && isPlain(config),
  );
  return run ? wordsOf(run.config) : methodWords(name);
}

/** Position in which methods are shown: from joint training to G2D, then what is not known, then the reference. */
export function methodRank(method: string): number {
  if (method === TEACHER_MEAN) return METHODS.size + 1;
  const index = [...METHODS.keys()].indexOf(SAME.get(method) ?? method);
  return index < 0 ? METHODS.size : index;
}

/** How a run is called: by the name somebody gave it, else by its method or, for a teacher, its modality. */
export function runLabel(config: RunConfig): string {
  const name = nameWithoutSeed(config);
  if (config.kind === 'teacher') {
    const modality = config.modalities.join(', ');
    const isPlain =
      ['teacher', 'joint', config.method, modality].includes(name) || name.startsWith('teacher-');
    return isPlain ? `Teacher of ${modality}` : name;
  }
  return isPlain(config) ? wordsOf(config).label : methodWords(name).label;
}

/** Whether nobody gave a run another name than its method's. */
const isPlain = (config: RunConfig): boolean =>
  config.name === config.method || nameWithoutSeed(config) === config.method;

/** The name without a part that only says the seed: `g2d-seed3` and `g2d-3` are `g2d` where the seed is 3. */
export function nameWithoutSeed({ name, seed }: Pick<RunConfig, 'name' | 'seed'>): string {
  const short = name
    .replace(new RegExp(`[-_. ]*seed[-_=. ]?${seed}(?!\\d)`, 'i'), '')
    .replace(new RegExp(`[-_. ]+s?${seed}$`, 'i'), '')
    .replace(/^[-_. ]+/, '');
  return short === '' ? name : short;
}
