import type { Claim, Term } from '../data/claims.js';
import { publishedCells, type PaperCell, type Setting } from '../data/paper-values.js';
import type { StandIn } from '../data/stand-ins.js';
import type { Catalogue } from './catalogue.js';
import { scoreKey, type Score } from './score.js';

/** The paper's scores of a table as ours: by what they are called here. */
export interface Translation {
  /** The published number of a score. */
  published(score: Score): PaperCell | undefined;
  /** The score that a claim speaks of, in our dataset; `undefined` where the table has none such. */
  claimed(term: Term, standIn: StandIn): Score | undefined;
  /** The levels of a claim, as scores. */
  levels(claim: Extract<Claim, { kind: 'increasing' }>, standIn: StandIn): readonly Score[];
}

/** @param standIns What stands for the paper's datasets; those of the table. */
export function translate(place: string, runs: Catalogue, standIns: readonly StandIn[]): Translation {
  const cells = publishedCells(place);
  const known = new Map<string, PaperCell>();
  for (const standIn of standIns) {
    for (const cell of cells.filter(({ dataset }) => dataset === standIn.paper)) {
      const score = scoreOf(cell, standIn, (name) => standIn.head(name));
      if (score) known.set(scoreKey(score), cell);
    }
  }
  function scoreOf(
    { method, head, metric = 'accuracy', setting }: Term,
    standIn: StandIn,
    headOf: (name: string) => string,
  ): Score | undefined {
    const dataset = standIn.ours;
    const own = { dataset, head: headOf(head), metric };
    if (method === 'teacher') return { ...own, method };
    const name = caseOf(
      { place, dataset, runs, cells, headOf: (one) => standIn.head(one) },
      setting as Setting,
    );
    // A case that is not planned here is not any other one.
    if (name === undefined) return WITH_CASES.includes(place) ? undefined : { ...own, method };
    return BY_CASE.includes(place) ? { ...own, case: name } : { ...own, method, case: name };
  }
  return {
    published: (score) => known.get(scoreKey(score)),
    claimed: (term, standIn) => scoreOf(term, standIn, (name) => standIn.claimed(name)),
    levels: ({ levels }, standIn) =>
      levels.flatMap(
        (setting) => scoreOf({ method: 'g2d', head: 'fused', setting }, standIn, (name) => name) ?? [],
      ),
  };
}

/** Tables whose cells are known by their case alone: where cases have methods of their own, such as (0, 0). */
const BY_CASE = ['table-5', 'table-6', 'table-7', 'table-12'];

/** Tables whose runs have cases. */
const WITH_CASES = [...BY_CASE, 'table-2', 'table-11'];

interface Place {
  readonly place: string;
  readonly dataset: string;
  readonly runs: Catalogue;
  readonly cells: readonly PaperCell[];
  readonly headOf: (name: string) => string;
}

/** How our sweeps call what the paper's cell is set to; `undefined` if there is no such case. */
function caseOf({ place, dataset, runs, cells, headOf }: Place, setting: Setting = {}): string | undefined {
  const cases = runs.cases(dataset);
  const { modalities, fusion, suppression, phaseEpochs, missRate, alpha, beta } = setting;
  if (place === 'table-2') {
    const own = runs.modalities(dataset);
    const wanted = (modalities as readonly string[] | undefined)?.map(headOf) ?? own;
    return cases.find((name) => isSame(name.split('+'), wanted));
  }
  if (phaseEpochs !== undefined) return levelOf(phaseEpochs as readonly number[], cells, cases);
  const name =
    fusion ??
    suppression ??
    (alpha === undefined ? undefined : `${String(alpha)},${String(beta)}`) ??
    (missRate === undefined ? undefined : `${100 * Number(missRate)}%`);
  return cases.find((one) => one === name);
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

/**
 * The lengths of phases by their order: the paper's joint phase is as long as ours only in its last column. Where we have fewer, they are
 * the first and the last.
 */
function levelOf(
  wanted: readonly number[],
  cells: readonly PaperCell[],
  cases: readonly string[],
): string | undefined {
  const levels = cells
    .flatMap(({ setting }) =>
      (setting?.['phaseEpochs'] as number[] | undefined) ? [setting?.['phaseEpochs'] as number[]] : [],
    )
    .filter((level) => level.length === wanted.length);
  const at = levels.findIndex((level) => level.join() === wanted.join());
  if (levels.length === cases.length) return cases[at];
  return at === 0 ? cases[0] : at === levels.length - 1 ? cases.at(-1) : undefined;
}
