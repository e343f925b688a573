import { z } from 'zod';
import { FileFormatError, OptionError } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { readIfThere, writeFileAtomic } from '@g2d/formats/node';
import { runResultSchema, unpackBits, type RunResult } from './run-result.js';

const FORMAT = 'g2d-results';
const VERSION = 1;

const headSchema = z.looseObject({ format: z.literal(FORMAT), version: z.number() });

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  scale: z.string(),
  /** What runs share, each value once: settings of one dataset and method are the same for all seeds. */
  settings: z.array(z.record(z.string(), z.unknown())),
  machines: z.array(runResultSchema.shape.machine),
  runs: z.array(
    runResultSchema
      .omit({ settings: true, machine: true })
      .extend({ settings: z.int().min(0), machine: z.int().min(0) }),
  ),
});

/**
 * Writes finished runs as one file. The same runs give the same bytes, wherever and in whatever order they were trained.
 *
 * @param results Each key once.
 */
export function writeResults(path: string, scale: string, results: readonly RunResult[]): void {
  const sorted = [...results].sort((a, b) => (a.key < b.key ? -1 : 1));
  const settings = new Shared();
  const machines = new Shared();
  const runs = sorted.map((result) => ({
    ...result,
    settings: settings.place(result.settings),
    machine: machines.place(result.machine),
  }));
  const line = (value: unknown): string => `    ${JSON.stringify(value)}`;
  const list = (name: string, values: readonly unknown[]): string =>
    `  "${name}": [\n${values.map(line).join(',\n')}\n  ]`;
  // A line for each run: what has come to a file of a version before is seen in a diff.
  const parts = [list('settings', settings.values), list('machines', machines.values), list('runs', runs)];
  const head = `  "format": "${FORMAT}",\n  "version": ${VERSION},\n  "scale": ${JSON.stringify(scale)}`;
  writeFileAtomic(path, `{\n${head},\n${parts.join(',\n')}\n}\n`);
}

/** Values by their place in a list, each once. */
class Shared {
  readonly values: unknown[] = [];
  readonly #places = new Map<string, number>();

  place(value: unknown): number {
    const sorted = inOrder(value);
    const text = JSON.stringify(sorted);
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.values.length);
    return this.values.push(sorted) - 1;
  }
}

/** With the keys of every object in order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, inOrder(member)]));
}

/**
 * Reads a file of results.
 *
 * @param scale That the table is of: runs of another are none of its.
 * @throws {OptionError} If it does not exist, or is of another scale or version.
 * @throws {FileFormatError} If it is no file of results, or damaged.
 */
export function readResults(path: string, scale: string): readonly RunResult[] {
  const bytes = readIfThere(path);
  if (bytes === undefined) {
    throw new OptionError(`The results ${path} cannot be read: there is no such file.`, {
      option: 'results',
      value: path,
      accepted: 'a file of g2d tables collect',
    });
  }
  const value = parseJson(bytes, { path });
  const head = headSchema.safeParse(value);
  if (!head.success)
    throw new FileFormatError(path, 'is no file of results; g2d tables collect --out FILE writes one.');
  if (head.data.version !== VERSION) {
    throw new OptionError(
      `${path} is of version ${head.data.version}, and this g2d knows version ${VERSION}. Use the g2d that wrote it, or collect again.`,
      { option: 'results', value: path, accepted: `version ${VERSION}` },
    );
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues as [z.core.$ZodIssue];
    throw new FileFormatError(path, `\`${issue.path.join('.')}\`: ${issue.message}.`);
  }
  const { scale: own, settings, machines, runs } = parsed.data;
  if (own !== scale) {
    throw new OptionError(`${path} has results of the scale ${own}, and this is the scale ${scale}.`, {
      option: 'results',
      value: path,
      accepted: `results of the scale ${scale}`,
    });
  }
  return runs.map((run, at) => {
    const [settingsOf, machine] = [settings[run.settings], machines[run.machine]];
    if (!settingsOf || !machine)
      throw new FileFormatError(path, `\`runs.${at}\` names settings or a machine that it does not have.`);
    const isWhole = Object.values(run.right?.heads ?? {}).every(
      (bits) => unpackBits(bits, run.right?.count ?? 0) !== undefined,
    );
    if (!isWhole)
      throw new FileFormatError(path, `\`runs.${at}.right\` has other than one bit for each sample.`);
    return { ...run, settings: settingsOf, machine };
  });
}
