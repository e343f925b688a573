/** How a method is called and what it does, in words for a reader who does not know it. */
export interface MethodWords {
  readonly label: string;
  readonly description: string;
}

const METHODS: ReadonlyMap<string, MethodWords> = new Map([
  ['joint', { label: 'Joint training', description: 'everything at once, nothing done about imbalance' }],
  ['smp', { label: 'SMP only', description: 'the least confident modality trains alone first' }],
  ['g2d-loss', { label: 'G2D loss only', description: 'learns from the teachers, no modality goes first' }],
  ['g2d', { label: 'G2D', description: 'learns from the teachers, the least confident modality goes first' }],
]);

/** Name of the entry of `results` that averages the teachers' logits: a reference, not a trained model. */
export const TEACHER_MEAN = 'teacher-mean';

const REFERENCE: MethodWords = {
  label: 'Mean of teachers',
  description: 'reference: the teachers’ logits averaged, nothing trained jointly',
};

/** Words for a method; one that is not known here goes by its own name. */
export function methodWords(method: string): MethodWords {
  if (method === TEACHER_MEAN) return REFERENCE;
  return METHODS.get(method) ?? { label: method, description: '' };
}

/** Position in which methods are shown: from joint training to G2D, then what is not known, then the reference. */
export function methodRank(method: string): number {
  if (method === TEACHER_MEAN) return METHODS.size + 1;
  const index = [...METHODS.keys()].indexOf(method);
  return index < 0 ? METHODS.size : index;
}
