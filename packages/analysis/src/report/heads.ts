/** How many modality colours the style sheet has; further modalities take them again from the start. */
export const COLORS = 6;

/** A head of a student: the fused output or one modality's own. */
export interface Head {
  /** Key in accuracies, confusion tables and predictions. */
  readonly key: string;
  /** CSS class that carries its colour, the same on the whole page. */
  readonly color: string;
}

/** The fused head: drawn in the colour of text. */
export const FUSED: Head = { key: 'fused', color: 'fused' };

/** The heads of a group: fused first, then each modality with its fixed colour. */
export function headsOf(modalities: readonly string[]): Head[] {
  return [FUSED, ...modalities.map((key, index) => ({ key, color: `m${index % COLORS}` }))];
}
