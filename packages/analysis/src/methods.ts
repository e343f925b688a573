import { legacyMethodRank, legacyMethodWords } from './legacy-methods.js';
import type { MethodWords, RunConfig } from './run.js';

/** Name of the entry of `results` that averages the teachers' logits: a reference, not a trained model. */
export const TEACHER_MEAN = 'teacher-mean';

const REFERENCE: MethodWords = {
  label: 'Mean of teachers',
  description: 'reference: the teachers’ logits averaged, nothing trained jointly',
};

/** Words for a name that no run's folder explains. */
export const methodWords = (name: string): MethodWords =>
  name === TEACHER_MEAN ? REFERENCE : legacyMethodWords(name);

/** Words for the method of a run: those that its folder has, from the definitions of its methods. */
function wordsOf({ method, components }: Pick<RunConfig, 'method' | 'components'>): MethodWords {
  const recorded = components?.method;
  if (!recorded || recorded.length === 0) return methodWords(method);
  const [only] = recorded.length === 1 ? recorded : [];
  return { label: recorded.map(({ label }) => label).join(' + '), description: only?.summary ?? '' };
}

const runOf = <R extends { readonly config: RunConfig }>(runs: readonly R[], name: string): R | undefined =>
  runs.find(({ config }) => config.kind === 'student' && config.method === name && isPlain(config));

/** Words for a name in a group of runs: those of the method of the run that is called after it. */
export function wordsAmong(runs: readonly { readonly config: RunConfig }[], name: string): MethodWords {
  const run = runOf(runs, name);
  return run ? wordsOf(run.config) : methodWords(name);
}

/**
 * Position in which runs are shown where nothing else decides: as their folders have it from the list of methods, from joint training to
 * G2D. A method of the user's stands behind all others.
 */
export function methodRank({ method, components }: Pick<RunConfig, 'method' | 'components'>): number {
  const recorded = components?.method ?? [];
  const orders = recorded.flatMap(({ order }) => order ?? []);
  if (orders.length === 0 || orders.length < recorded.length) return legacyMethodRank(method);
  return Math.max(...orders);
}

/** The same for a name in a group of runs; the reference is last. */
export function rankAmong(runs: readonly { readonly config: RunConfig }[], name: string): number {
  if (name === TEACHER_MEAN) return Infinity;
  const run = runOf(runs, name);
  return run ? methodRank(run.config) : legacyMethodRank(name);
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
