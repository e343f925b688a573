import type { DatasetCheck } from '@g2d/core';
import { formatTable } from '../format-table.js';

const SHOWN = 10;

/** The text for a person. */
export function formatCheck({
  dataset,
  folder,
  licence,
  howToGet,
  expected,
  found,
  problems,
  asPublished,
}: DatasetCheck): string {
  const parts = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const count = (value: number | undefined): string => value?.toLocaleString('en-US') ?? '–';
  const table = formatTable(
    [
      ['', 'as published', 'found'],
      ...parts.map((part) => [part, count(expected[part]), count(found[part])]),
    ],
    [false, true, true],
  );
  const listed = problems.map(({ reason, ids }) => {
    const more = ids.length - SHOWN;
    const lines = ids.slice(0, SHOWN).map((id) => `  ${id}\n`);
    return `\n${reason}: ${count(ids.length)}\n${lines.join('')}${more > 0 ? `  … and ${count(more)} more (--json names all)\n` : ''}`;
  });
  // A dataset without a licence is nobody's publication.
  if (licence === '') {
    const of = folder === '' ? dataset : `${dataset} in ${folder}`;
    const verdict = asPublished ? 'Every sample can be used.' : 'Some samples cannot be used.';
    return `${of}\n\n${table}${listed.join('')}\n${verdict}\n`;
  }
  const verdict = asPublished
    ? 'Training on this folder is as published.'
    : `Training on this folder would not be as published.\nHow to get the data: ${howToGet}`;
  return `${dataset} in ${folder}\n\n${table}${listed.join('')}\n${verdict}\nLicence: ${licence}\n`;
}
