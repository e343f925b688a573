import { FileFormatError, OptionError, type MultimodalDataset } from '@g2d/core';
import { readCsvTable } from '@g2d/formats/node';

/** What a mask file needs to know of a dataset. */
type Described<M extends string> = Pick<MultimodalDataset<M>, 'name' | 'split' | 'ids' | 'modalities'>;

/**
 * A mask as a table, one line for each sample: `id,audio,video`, then `clip-7,1,0`. 1 present, 0 missing.
 *
 * @param dataset Whose mask it is.
 * @param mask `[N, k]` row by row, as `presenceMask` gives it.
 */
export function maskTable<M extends string>({ ids, modalities }: Described<M>, mask: Uint8Array): string {
  const rows = ids.map((id, i) =>
    [quoted(id), ...mask.subarray(i * modalities.length, (i + 1) * modalities.length)].join(','),
  );
  return `${[['id', ...modalities].join(','), ...rows].join('\n')}\n`;
}

const quoted = (field: string): string =>
  /[",;\t\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;

/**
 * Reads a mask of a dataset: a table with a column `id` and one for each modality, of 0 and 1, in any order. Rows of other samples are
 * passed over.
 *
 * @param dataset Whose mask it is; of its columns those of `modalities` are read.
 * @returns `[N, k]` row by row, in the order of the dataset's samples and modalities: `mask` of `missingModalities`, which refuses one that leaves a sample
 * without any.
 * @throws {FileFormatError} If the file is not such a table.
 * @throws {OptionError} If it is of another dataset or split: a sample or a modality is not in it.
 * @example
 * const test = missingModalities(base, { mask: readMask('masks/test.csv', base) });
 */
export function readMask<M extends string>(path: string, dataset: Described<M>): Uint8Array {
  const { name, split, ids, modalities } = dataset;
  const refuse = (problem: string): OptionError =>
    new OptionError(`${path} is no mask for the ${split} split of ${name}: ${problem}`, {
      option: 'mask',
      value: path,
      accepted: `a row for each of ${ids.length} ids, and the columns id, ${modalities.join(', ')}`,
    });
  const { rows } = readCsvTable(path);
  const [head, ...body] = rows;
  const columns = (head?.fields ?? []).map((field) => field.trim());
  const at = ['id', ...modalities].map((column) => {
    const index = columns.indexOf(column);
    if (index >= 0) return index;
    throw refuse(`it has no column "${column}"; its columns are ${columns.join(', ') || 'none'}.`);
  });
  const found = new Map<string, Uint8Array>();
  for (const { line, fields } of body) {
    const [id = '', ...cells] = at.map((index, i) => (i === 0 ? fields[index] : fields[index]?.trim()) ?? '');
    const wrong = cells.findIndex((cell) => cell !== '0' && cell !== '1');
    if (wrong >= 0) {
      throw new FileFormatError(
        path,
        `line ${line}: "${modalities[wrong]}" is "${cells[wrong]}", but must be 1 (present) or 0 (missing)`,
      );
    }
    if (found.has(id)) throw new FileFormatError(path, `line ${line}: the id "${id}" is there twice`);
    found.set(id, Uint8Array.from(cells, Number));
  }
  const mask = new Uint8Array(ids.length * modalities.length);
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length > 0) {
    throw refuse(
      `${unknown.length} of ${ids.length} samples are not in it, such as "${unknown[0]}"; it has ${found.size}, such as "${[...found.keys()][0] ?? ''}".`,
    );
  }
  ids.forEach((id, i) => mask.set(found.get(id) as Uint8Array, i * modalities.length));
  return mask;
}
