import { readCsv } from '@g2d/formats/node';
import { FileFormatError, shown } from '@g2d/core';

/** The released code's order; the label is the emotion that the actor was asked for, not what raters heard. */
export const EMOTIONS = ['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'] as const;

/** A line of a list. */
export interface ListedRow {
  /** The clip's name without its ending: `1001_DFA_ANG_XX`. */
  readonly stem: string;
  readonly label: number;
}

/**
 * Reads a list of CREMA-D clips: `stem,emotion` in each line, without a header.
 *
 * @throws {FileFormatError} If a line is no such pair, or names a clip a second time.
 */
export function readList(path: string): readonly ListedRow[] {
  const lines = new Map<string, number>();
  return readCsv(path).map(({ line, fields: [stem = '', emotion] }) => {
    const fail = (problem: string): FileFormatError =>
      new FileFormatError(path, `line ${line} ${problem}`, { line });
    if (emotion === undefined) {
      throw fail(`has only one field; expected a clip and its emotion, such as "1001_DFA_ANG_XX,ANG".`);
    }
    // It becomes a part of paths: nothing that could lead out of the data folder.
    if (!/^[\w-]+$/.test(stem)) {
      throw fail(`names the clip ${shown(stem)}; expected letters, digits, "_" and "-".`);
    }
    const label = (EMOTIONS as readonly string[]).indexOf(emotion);
    if (label < 0) throw fail(`has the emotion ${shown(emotion)}; expected ${EMOTIONS.join(', ')}.`);
    const first = lines.get(stem);
    if (first !== undefined)
      throw fail(`names ${stem} a second time, after line ${first}. Delete one of them.`);
    lines.set(stem, line);
    return { stem, label };
  });
}
