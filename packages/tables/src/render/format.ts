import { OptionError } from '@g2d/core';
import { asCsv } from './csv.js';
import { asLatex } from './latex.js';
import { asMarkdown } from './markdown.js';
import { asPage } from './page.js';
import type { PrintedTable } from './printed-table.js';
import { asText } from './text.js';

/** How a table is written, and the endings of files that say so. */
const FORMATS = {
  text: { endings: ['txt'], write: asText },
  markdown: { endings: ['md'], write: asMarkdown },
  csv: { endings: ['csv'], write: asCsv },
  latex: { endings: ['tex'], write: asLatex },
  html: { endings: ['html'], write: asPage },
  json: { endings: ['json'], write: (table: PrintedTable) => JSON.stringify(table, null, 2) },
} as const satisfies Record<
  string,
  { readonly endings: readonly string[]; readonly write: (table: PrintedTable, width: number) => string }
>;

export type Format = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

/**
 * @param name As it was given; else the ending of the file decides, and without one it is text.
 * @throws {OptionError} If there is no such format.
 */
export function formatOf(name: string | undefined, file: string | undefined): Format {
  const ending = /\.(\w+)$/.exec(file ?? '')?.[1] ?? '';
  const byFile = FORMAT_NAMES.find((format) =>
    (FORMATS[format].endings as readonly string[]).includes(ending),
  );
  const known = name === undefined ? (byFile ?? 'text') : FORMAT_NAMES.find((format) => format === name);
  if (known) return known;
  throw new OptionError(`--format is "${name}"; it can be ${FORMAT_NAMES.join(', ')}.`, {
    option: 'format',
    value: name,
    accepted: FORMAT_NAMES.join(', '),
  });
}

/** @param width Of a terminal, in characters; text alone keeps to it. */
export const formatted = (table: PrintedTable, format: Format, width: number): string =>
  `${FORMATS[format].write(table, width).trimEnd()}\n`;
