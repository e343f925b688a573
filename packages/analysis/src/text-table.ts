import { printable } from '@g2d/core';

/** Cells as aligned text: the first column to the left, the others to the right, a rule below the header and between blocks. */
export function textTable(
  header: readonly string[],
  ...blocks: readonly (readonly (readonly string[])[])[]
): string {
  const clean = (line: readonly string[]): string[] => line.map(oneLine);
  const head = clean(header);
  const parts = blocks.filter((block) => block.length > 0).map((block) => block.map(clean));
  const lines = [head, ...parts.flat()];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [format(head), ...parts.flatMap((block) => [rule, ...block.map(format)])].join('\n');
}

/** Without line ends and control characters, which a name may hold and a terminal would obey. */
export const oneLine = (text: string): string => printable(text, { line: true });

/** Numbers of columns, in as many groups as it takes to stay within a width; the first column is in every group. */
export function foldColumns(lines: readonly (readonly string[])[], width: number): number[][] {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => oneLine(line[column] ?? '').length)),
  );
  const first = widths[0] ?? 0;
  const groups: number[][] = [];
  let used = 0;
  for (const [column, own] of widths.entries()) {
    if (column === 0) continue;
    if (groups.length === 0 || used + 2 + own > width) {
      groups.push([0]);
      used = first;
    }
    groups.at(-1)?.push(column);
    used += 2 + own;
  }
  return groups.length === 0 ? [[0]] : groups;
}

/** A note within a width; lines after the first are indented as its text. */
export function wrapped(note: string, width: number): string {
  const lines: string[] = [];
  for (const word of note.split(' ')) {
    const last = lines.at(-1);
    // Two characters for the mark in front.
    if (last === undefined || last.length + 1 + word.length + 2 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n  ');
}
