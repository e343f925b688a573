import type { Part } from './markup.js';

/** A part of a page, with its own heading and a link to it. */
export interface Section {
  /** Letters only: it is a part of the page's address. */
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  /** Without it the section is left out. */
  readonly content: Part;
}

/** All sections there are, and what is said of them where a page says nothing else. */
const SECTIONS = {
  results: ['Results'],
  curves: ['Learning curves'],
  losses: ['Losses'],
  schedule: ['Confidence and schedule', 'How sequential modality prioritization decides who trains.'],
  confusion: [
    'What is mistaken for what',
    'Test samples by true class (rows) and predicted class (columns). The stronger or brighter the colour of a cell, the larger its share of the true class; the diagonal is right.',
  ],
  classes: ['Class by class'],
  scatter: ['Predicted against true'],
  calibration: ['Calibration'],
  samples: ['Samples'],
  settings: ['Settings', 'What was run, where, and how to run it again.'],
} satisfies Readonly<Record<string, readonly [title: string, hint?: string]>>;

/** A section of a page, with words of its own where the page has them. */
export function section(
  id: keyof typeof SECTIONS,
  content: Part,
  words: { readonly title?: string; readonly hint?: string } = {},
): Section {
  const [title, hint = ''] = SECTIONS[id];
  return { id, title, hint, content, ...words };
}
