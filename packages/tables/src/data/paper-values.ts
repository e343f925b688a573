import { z } from 'zod';
import { readData } from './read-data.js';

const settingSchema = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.array(z.string()), z.array(z.number())]),
);

/** In what a run differs from its method's plain one: `modalities`, `fusion`, `suppression`, `phaseEpochs`, `missRate`, `alpha`, `beta`. */
export type Setting = Readonly<z.output<typeof settingSchema>>;

export const metricSchema = z.enum(['accuracy', 'mape', 'r-squared', 'memory', 'time']);

/** Accuracy and MAPE in percent, R² up to 1; memory in MB of 2^20 bytes, time in milliseconds. */
export type Metric = z.output<typeof metricSchema>;

const cellSchema = z.strictObject({
  table: z.string(),
  row: z.string(),
  column: z.string(),
  dataset: z.string(),
  /** `teacher`, or a name of `@g2d/methods`. */
  method: z.string(),
  /** `fused`, a modality, or `none`. */
  head: z.string(),
  metric: metricSchema,
  unit: z.string(),
  value: z.number(),
  setting: settingSchema.optional(),
  /** Cells of one run have one name, over all tables. */
  run: z.string(),
  checks: z.array(z.looseObject({ kind: z.string() })),
  /** The level of one of `doubts`. */
  doubt: z.string().optional(),
});

/** One published number. */
export type PaperCell = Readonly<z.output<typeof cellSchema>>;

const tableSchema = z.looseObject({
  title: z.string(),
  columns: z.union([z.string(), z.array(z.union([z.string(), z.array(z.number())]))]),
  datasets: z.array(z.string()),
  claim: z.string(),
  seeds: z.array(z.number()),
  selection: z.string(),
});

const valuesSchema = z.looseObject({
  format: z.literal('g2d-paper-values/1'),
  paper: z.strictObject({ title: z.string(), venue: z.string(), arxiv: z.string() }),
  methods: z.record(z.string(), z.string()),
  tables: z.record(z.string(), tableSchema),
  figures: z.record(z.string(), z.looseObject({ title: z.string() })),
  doubts: z.array(z.strictObject({ level: z.string(), where: z.string(), text: z.string() })),
  cells: z.array(cellSchema),
});

/** The paper's numbers, and what is known of them. */
export type PaperValues = Readonly<z.output<typeof valuesSchema>>;

let values: PaperValues | undefined;

/** Every published number of the paper's tables. Read once. */
export const paperValues = (): PaperValues => (values ??= readData('paper-values.json', valuesSchema));

/** How the paper calls a method. */
export const paperName = (method: string): string => paperValues().methods[method] ?? method;

/** The published cells of a table, such as `table-4`. */
export const publishedCells = (place: string): readonly PaperCell[] =>
  paperValues().cells.filter(({ table }) => table === place);

/** What was found to be doubtful in the published numbers of a table. */
export const doubtsOf = (place: string): PaperValues['doubts'] =>
  paperValues().doubts.filter(({ where }) => new RegExp(`${place}(?!\\d)`).test(where));
