import { ratioClaims } from '../data/claims.js';
import { doubtsOf, paperValues, publishedCells, type Metric } from '../data/paper-values.js';
import type { FilledCell, FilledGrid } from '../layout/fill.js';
import type { PrintedTable } from '../render/printed-table.js';
import { judgeRatio } from '../statistics/verdict.js';
import type { JudgedClaim } from '../verdicts.js';
import { batchBytes, megabytes } from './batch-bytes.js';
import { STEPS, type MeasuredStep, type StepName } from './measure-steps.js';

const PLACE = 'table-10';
const DATASET = 'crema-d';
const BATCH = 16;

/**
 * Table 10: bytes of a batch, counted from shapes, and what a step takes on this machine where it was measured.
 *
 * @param measured Absent: nothing was measured.
 */
export function costTable(
  measured: ReadonlyMap<StepName, MeasuredStep> | undefined,
  command: string | undefined,
): PrintedTable {
  const bytes = batchBytes(DATASET, BATCH);
  const memory = { joint: megabytes(bytes.batch), g2d: megabytes(bytes.batch + bytes.teachers) };
  const counted: FilledGrid = {
    title: 'Bytes of a batch of 16, counted from its shapes',
    corner: 'MB of 2^20 bytes',
    columns: ['memory'],
    contest: 'column',
    decimals: 4,
    agreement: [],
    rows: [
      row('Joint-Train', [cell('joint', 'memory', memory.joint)]),
      row('G2D, stored teacher outputs', [cell('g2d', 'memory', memory.g2d)]),
    ],
  };
  const steps: FilledGrid = {
    title:
      'A step, measured on this machine (published: one batch with loading and start-up, not comparable)',
    corner: 'step',
    columns: ['time, ms', 'peak memory of the process, MB'],
    contest: 'column',
    decimals: 1,
    agreement: [],
    rows: (Object.keys(STEPS) as StepName[]).map((name) => {
      const step = measured?.get(name);
      const published = name === 'joint' ? 'joint' : name === 'g2d, joint phase, stored' ? 'g2d' : undefined;
      return row(name, [
        cell('', 'time', step?.ms, published && publishedOf(published, 'time')),
        cell('', 'memory', step?.peakMB),
      ]);
    }),
  };
  const { title } = paperValues().tables[PLACE] as { title: string };
  return {
    place: PLACE,
    scale: 'paper',
    protocol: '',
    title: `Table 10. ${title}`,
    heading: 'CREMA-D’s shapes: sound 257 × 188, one frame 3 × 224 × 224, six classes, two ResNet-18.',
    grids: [counted, steps],
    claims: claimsOf(memory, measured),
    notes: [
      'The published memory is exactly that of a loaded batch: float32 inputs and int64 labels; for G2D with features and logits of two teachers. It is not the memory of training.',
      'Inference is the same program for both: its ratio is 1.',
      ...(measured ? [] : ['No step was measured; --measure does it, in about five minutes on two cores.']),
      ...doubtsOf(PLACE).map(
        ({ level, where, text }) => `Doubt about published numbers (${level}), ${where}: ${text}`,
      ),
    ],
    command,
  };
}

function claimsOf(
  memory: { readonly joint: number; readonly g2d: number },
  measured: ReadonlyMap<StepName, MeasuredStep> | undefined,
): JudgedClaim[] {
  const [joint, stored] = [measured?.get('joint')?.ms, measured?.get('g2d, joint phase, stored')?.ms];
  const ratios: Readonly<Record<string, number | undefined>> = {
    'T10.1': memory.g2d / memory.joint,
    'T10.2': joint !== undefined && stored !== undefined ? stored / joint : undefined,
  };
  return ratioClaims().map(({ id, left, right, limit, published }) => ({
    id,
    dataset: 'CREMA-D',
    claim: `${left} ≤ ${limit} × ${right}`,
    published: `${published.true ? 'true' : 'not true'} (${published.value})`,
    ...judgeRatio(ratios[id], limit),
  }));
}

const row = (label: string, cells: readonly FilledCell[]) => ({ label, isDerived: false, cells });

const publishedOf = (method: string, metric: Metric): number | undefined =>
  publishedCells(PLACE).find((one) => one.method === method && one.metric === metric)?.value;

function cell(
  method: string,
  metric: Metric,
  mean: number | undefined,
  published = method === '' ? undefined : publishedOf(method, metric),
): FilledCell {
  return {
    cell: { kind: 'score', score: { dataset: DATASET, method, head: 'none', metric } },
    seeds: [],
    without: [],
    isBetterLow: true,
    ...(mean !== undefined && { mean }),
    ...(published !== undefined && { published, doubt: 'meaning' }),
  };
}
