import { datasetName, fusionName, methodName } from './names.js';
import type { Catalogue } from './catalogue.js';
import { scoreCell, type Grid, type GridCell, type GridRow } from './grid.js';
import type { Score } from './score.js';

/** The paper's order of methods in a table's columns. */
export type Order = readonly string[];

/** Without teachers, which have columns of their own. A method that is not run has its column, as in the paper. */
export const methodsIn = (order: Order): Order => order.filter((name) => !name.startsWith('teacher'));

type Layout = (runs: Catalogue, order: Order) => readonly Grid[];

const score = (dataset: string, rest: Partial<Score>): Score => ({
  dataset,
  head: 'fused',
  metric: 'accuracy',
  ...rest,
});

const cell = (dataset: string, rest: Partial<Score>): GridCell => scoreCell(score(dataset, rest));

/** A line of a head: its teacher, and the methods. */
function headRow(
  label: string,
  {
    methods,
    ...own
  }: { readonly dataset: string; readonly head: string; readonly case?: string; readonly methods: Order },
): GridRow {
  const { dataset, head } = own;
  const teacher = head === 'fused' ? undefined : cell(dataset, { method: 'teacher', head });
  return { label, cells: [teacher, ...methods.map((method) => cell(dataset, { ...own, method }))] };
}

const withTeacher = (methods: Order): string[] => ['teacher', ...methods].map(methodName);

/** Datasets and their heads by methods. */
const methodsByHead: Layout = (runs, order) => {
  const methods = methodsIn(order);
  const rows = runs.datasets.flatMap((dataset) =>
    [...runs.modalities(dataset), 'fused'].map((head) =>
      headRow(`${datasetName(dataset)}, ${head}`, { dataset, head, methods }),
    ),
  );
  return [{ corner: 'test accuracy, %', columns: withTeacher(methods), rows, contest: 'row' }];
};

/** Sets of modalities and their heads by methods. */
const methodsByModalities: Layout = (runs, order) => {
  const methods = methodsIn(order);
  return runs.datasets.map((dataset) => ({
    title: datasetName(dataset),
    corner: 'test accuracy, %',
    columns: withTeacher(methods),
    rows: runs
      .cases(dataset)
      .flatMap((name) =>
        [...runs.modalities(dataset, name), 'fused'].map((head) =>
          headRow(`${name.replaceAll('+', ' + ')}: ${head}`, { dataset, case: name, head, methods }),
        ),
      ),
    contest: 'row' as const,
  }));
};

const regression: Layout = (runs, order) => {
  const methods = methodsIn(order);
  return runs.datasets.map((dataset) => {
    const modalities = runs.modalities(dataset).toReversed();
    const row = (label: string, metric: Score['metric']): GridRow => ({
      label,
      cells: [
        ...modalities.map((head) => cell(dataset, { method: 'teacher', head, metric })),
        ...methods.map((method) => cell(dataset, { method, metric })),
      ],
    });
    return {
      title: datasetName(dataset),
      corner: 'test',
      columns: [...modalities.map((name) => `${name} alone`), ...methods.map(methodName)],
      rows: [row('MAPE, % (less is better)', 'mape'), row('R²', 'r-squared')],
      contest: 'row' as const,
    };
  });
};

/** Methods, without and with SMP, and what it adds. */
const PAIRS = [
  ['joint', 'smp'],
  ['umt', 'umt+smp'],
  ['g2d-loss', 'g2d'],
] as const;

const withPrioritization: Layout = (runs) => {
  const { datasets } = runs;
  const rows = PAIRS.flatMap(([without, and]): GridRow[] => {
    const row = (label: string, of: (dataset: string) => GridCell): GridRow => ({
      label,
      cells: datasets.map(of),
    });
    const name = without === 'g2d-loss' ? 'G2D loss' : methodName(without);
    const gain = row('  SMP adds', (dataset) => ({
      kind: 'difference',
      of: score(dataset, { method: and }),
      minus: score(dataset, { method: without }),
    }));
    return [
      row(`${name}, SMP ✗`, (dataset) => cell(dataset, { method: without })),
      row(`${name}, SMP ✓`, (dataset) => cell(dataset, { method: and })),
      { ...gain, isDerived: true },
    ];
  });
  return [{ corner: 'test accuracy, %', columns: datasets.map(datasetName), rows, contest: 'column' }];
};

/** Cases by datasets. */
const casesByDataset =
  (label: (name: string) => string): Layout =>
  (runs) => {
    const { datasets } = runs;
    const rows = runs.cases().map((name) => ({
      label: label(name),
      cells: datasets.map((dataset) => cell(dataset, { case: name })),
    }));
    return [{ corner: 'test accuracy, %', columns: datasets.map(datasetName), rows, contest: 'column' }];
  };

const inBrackets = (name: string): string => `(${name.replaceAll(',', ', ')})`;

/** Datasets by cases, each dataset with cases of its own. */
const casesOfDatasets: Layout = (runs) =>
  runs.datasets.map((dataset) => {
    const cases = runs.cases(dataset);
    return {
      title: datasetName(dataset),
      corner: 'test accuracy, %',
      columns: cases.map(inBrackets),
      rows: [{ label: '(τ₁, …, τ_k), epochs', cells: cases.map((name) => cell(dataset, { case: name })) }],
      contest: 'row' as const,
    };
  });

/** Datasets by methods. */
const methodsByDataset: Layout = (runs, order) => {
  const methods = methodsIn(order);
  const rows = runs.datasets.map((dataset) => ({
    label: datasetName(dataset),
    cells: methods.map((method) => cell(dataset, { method })),
  }));
  return [{ corner: 'test accuracy, %', columns: methods.map(methodName), rows, contest: 'row' }];
};

const missing: Layout = (runs, order) => {
  const methods = methodsIn(order);
  return runs.datasets.flatMap((dataset): Grid[] => {
    const [complete = '', ...rates] = runs.cases(dataset);
    const title = datasetName(dataset);
    const columns = methods.map(methodName);
    const grid: Grid = {
      title,
      corner: 'missing; test accuracy, %',
      columns,
      rows: [complete, ...rates].map((name) => ({
        label: name,
        cells: methods.map((method) => cell(dataset, { method, case: name })),
      })),
      contest: 'row',
    };
    const drops: Grid = {
      title: `${title}, points lost from ${complete}`,
      corner: 'missing; points lost',
      columns,
      rows: rates.map((name) => ({
        label: name,
        isDerived: true,
        cells: methods.map((method) => ({
          kind: 'difference',
          of: score(dataset, { method, case: complete }),
          minus: score(dataset, { method, case: name }),
        })),
      })),
      contest: 'row',
    };
    return [grid, drops];
  });
};

/** The two weights by datasets. */
const weights: Layout = (runs, order) => {
  // The paper's order; the sweep begins with the methods that have names.
  const cases = runs.cases().toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
  const rows = runs.datasets.map((dataset) => ({
    label: datasetName(dataset),
    cells: cases.map((name) => cell(dataset, { case: name })),
  }));
  return [{ corner: '(α, β); test accuracy, %', columns: cases.map(inBrackets), rows, contest: 'row' }];
};

const suppressionName = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)} suppression`;

/** Tables of scores by their numbers; Table 10 is one of costs. */
const LAYOUTS: Readonly<Record<number, Layout>> = {
  1: methodsByHead,
  2: methodsByModalities,
  3: regression,
  4: withPrioritization,
  5: casesByDataset(fusionName),
  6: casesByDataset(suppressionName),
  7: casesOfDatasets,
  8: methodsByDataset,
  9: methodsByDataset,
  11: missing,
  12: weights,
};

/** A table as the paper has it, with the rows and columns that its sweeps have runs for. */
export const gridsOf = (number: number, runs: Catalogue, order: Order): readonly Grid[] =>
  (LAYOUTS[number] as Layout)(runs, order);
