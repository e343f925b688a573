import { readCsv } from '@g2d/formats/node';
import { FileFormatError, shown } from '@g2d/core';

/** A line of VGGSound's table. */
export interface VggSoundRow {
  /** `{YouTube id}_{start second, six digits}`: the name of the clip's files. */
  readonly stem: string;
  readonly label: string;
  readonly part: 'train' | 'test';
}

interface VggSoundTable {
  /** Of the splits train and test. */
  readonly rows: readonly VggSoundRow[];
  /** Clips that the table puts in another split, or names a second time in the same one. */
  readonly ignored: readonly string[];
}

/**
 * Reads VGGSound's table: YouTube id, start second, label, split. The first line is a header if its second field is no whole number.
 *
 * @throws {FileFormatError} If a line has another form.
 */
export function readVggSoundTable(path: string): VggSoundTable {
  const rows: VggSoundRow[] = [];
  const ignored: string[] = [];
  const seen = new Set<string>();
  for (const [index, { line, fields }] of readCsv(path).entries()) {
    const fail = (problem: string): FileFormatError =>
      new FileFormatError(path, `line ${line} ${problem}`, { line });
    const [id = '', start = '', label = '', part] = fields;
    if (fields.length !== 4) {
      throw fail(`has ${fields.length} fields; expected 4: YouTube id, start second, label, train or test.`);
    }
    if (!/^\d{1,9}$/.test(start)) {
      if (index === 0) continue;
      throw fail(`has the start second ${shown(start)}; expected a whole number.`);
    }
    // It becomes a part of paths: nothing that could lead out of the data folder.
    if (!/^[\w-]+$/.test(id)) {
      throw fail(`has the YouTube id ${shown(id)}; expected letters, digits, "_" and "-".`);
    }
    if (label === '') throw fail('has no label.');
    const stem = `${id}_${start.padStart(6, '0')}`;
    if ((part !== 'train' && part !== 'test') || seen.has(`${part}/${stem}`)) {
      ignored.push(stem);
      continue;
    }
    seen.add(`${part}/${stem}`);
    rows.push({ stem, label, part });
  }
  return { rows, ignored };
}
