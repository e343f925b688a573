/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /** `ok`; `note`: worth knowing; `problem`: stands in the way of TensorFlow. */
  readonly status: 'ok' | 'note' | 'problem';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}
