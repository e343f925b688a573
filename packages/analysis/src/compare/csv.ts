import { csvText, type CsvCell as Cell } from '../csv-text.js';
import { SCORES } from '../score-words.js';
import type { Comparison, ComparisonRow, ComparisonTable } from './comparison.js';
import type { Estimate } from './estimate.js';
import type { SettingDifference } from './setting-differences.js';

/** All rows of all tables, teachers included, as RFC 4180 with a header line. */
export function comparisonCsv({ tables }: Comparison): string {
  const modalities = [...new Set(tables.flatMap((table) => table.modalities))];
  const all = tables.flatMap((table) => [...table.rows, ...table.teachers].map((row) => ({ table, row })));
  const metrics = [...new Set(all.flatMap(({ row }) => Object.keys(row.metrics)))].sort();
  const records = all.map(({ table, row }) => record(table, row, modalities, metrics));
  const header = records[0]?.map(([name]) => name) ?? [];
  const lines = [header, ...records.map((cells) => cells.map(([, cell]) => cell))];
  return csvText(lines);
}

function record(
  table: ComparisonTable,
  row: ComparisonRow,
  modalities: readonly string[],
  metrics: readonly string[],
): [name: string, cell: Cell][] {
  const heads = ['fused', ...modalities];
  return [
    ['dataset', table.dataset],
    ['modalities', row.modalities.join(' ')],
    ['task', table.task],
    ['score', `${SCORES[table.task].name} in percent`],
    ['kind', row.kind],
    ['label', row.label],
    ['method', row.method],
    ['selection', row.select],
    ['seeds', row.seeds.length],
    ['seed_list', row.seeds.join(' ')],
    ['seeds_unfinished', row.unfinished.map(({ config }) => config.seed).join(' ')],
    ...heads.flatMap((head) => numbers(`test_${head}`, row.test[head])),
    ...heads.flatMap((head) => numbers(`validation_${head}`, row.validation[head])),
    ...metrics.flatMap((name) => numbers(`test_main_${name}`, row.metrics[name])),
    ...numbers('gain', row.gain),
    ['gain_over', row.gain?.over],
    ['gain_seed_list', row.gain?.seeds.join(' ')],
    ['gain_seeds_better', row.gain?.wins.better],
    ['gain_seeds_compared', row.gain?.wins.of],
    ['against', row.against?.label],
    ['against_differences', row.against?.differences.map(differenceWords).join('; ')],
    ['epochs_trained', row.cost.epochs],
    ...numbers('joint_steps', row.cost.steps),
    ...numbers('seconds', row.cost.seconds),
    ['teachers', row.cost.teachers?.modalities.join(' ')],
    ...numbers('teachers_joint_steps', row.cost.teachers?.steps),
    ...numbers('teachers_seconds', row.cost.teachers?.seconds),
    ['folders', row.runs.map(({ folder }) => folder).join(' ')],
  ];
}

/** `epochs=60 (300)`: this row's, and that of the row it is compared with. */
const differenceWords = ({ key, own = '', other = '' }: SettingDifference): string =>
  `${key}=${own} (${other})`;

function numbers(name: string, value: Omit<Estimate, 'values'> | undefined): [string, Cell][] {
  return [
    [`${name}_n`, value?.n],
    [`${name}_mean`, value?.mean],
    [`${name}_sd`, value?.deviation],
    [`${name}_lower`, value?.interval?.lower],
    [`${name}_upper`, value?.interval?.upper],
  ];
}
