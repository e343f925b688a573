import type { Tone } from '../data/figure-data.js';

/** The colours of Okabe and Ito, the yellow left out, which is too light for lines on white. */
export const COLORS: Readonly<Record<Tone, string>> = {
  black: '#000000',
  gray: '#6b6b6b',
  blue: '#0072b2',
  orange: '#e69f00',
  green: '#009e73',
  purple: '#cc79a7',
  sky: '#56b4e9',
  vermilion: '#d55e00',
};

export const INK = '#1a1a1a';
export const FAINT_INK = '#555555';
export const GRID = '#e2e2e2';
export const PAPER = '#ffffff';

/** First the font that the PNG is made with; a browser may have another one. */
export const FONT = "'DejaVu Sans', Verdana, Arial, sans-serif";
