// Words and order of methods for folders of earlier versions, which hold none (`components.method` in their config.json, with `order`). A new
// method has no entry here: its definition has its words, the list of methods its place, and its runs' folders have both.
import type { MethodWords } from './run.js';

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

const UNKNOWN = Number.MAX_SAFE_INTEGER;

/** How a method is called inside of a stack. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ['smp', 'SMP'],
  ['g2d-loss', 'G2D loss'],
]);

/** Words for a method or a stack of methods; one that is not known here goes by its own name. */
export function legacyMethodWords(method: string): MethodWords {
  const known = METHODS.get(SAME.get(method) ?? method);
  if (known) return known;
  const parts = method.split('+');
  if (parts.length === 1) return { label: method, description: '' };
  const label = parts.map((part) => PARTS.get(part) ?? METHODS.get(part)?.label ?? part).join(' + ');
  return { label, description: '' };
}

/** Position of a method in the table; those that it lacks come after all others. */
export function legacyMethodRank(method: string): number {
  const index = [...METHODS.keys()].indexOf(SAME.get(method) ?? method);
  return index < 0 ? UNKNOWN : index;
}
