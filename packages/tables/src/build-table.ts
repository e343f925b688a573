import { OptionError } from '@g2d/core';
import { paperValues } from './data/paper-values.js';
import { standIns } from './data/stand-ins.js';
import { Catalogue } from './layout/catalogue.js';
import { fillGrid } from './layout/fill.js';
import { Scores, type Gathered } from './layout/gather.js';
import { gridsOf, methodsIn } from './layout/layouts.js';
import { translate } from './layout/published.js';
import { notesOf } from './notes/notes.js';
import { headingOf } from './notes/heading.js';
import type { PrintedTable } from './render/printed-table.js';
import type { TableParts } from './table-parts.js';
import { mixedVersions } from './results/versions.js';
import { judgeClaims } from './verdicts.js';

/** The paper trained for 300 epochs; methods whose stages do not fit end a few epochs earlier. */
const FULL_EPOCHS = 290;

/** Of so few samples nothing can be said. */
const UNTESTED = 'two or three epochs on a few samples test the program, and no claim';

/**
 * A table of the paper with our numbers, from run results alone.
 *
 * @throws {OptionError} If runs were trained with different versions, and `allowMixed` is not set.
 */
export function buildTable(parts: TableParts): PrintedTable {
  const { number, literal = false, plan, known, allowMixed, command } = parts;
  const { scale, protocol, members, pool } = plan;
  const place = `table-${number}`;
  const paper = paperValues().tables[place] as ReturnType<typeof paperValues>['tables'][string];
  const runs = new Catalogue(members, pool.runs);
  const scores = new Scores(runs, known.results);
  const stands = standIns(number, scale, runs.datasets);
  const translation = translate(place, runs, stands);
  const comparable = ({ results }: Gathered): boolean =>
    scale === 'paper' && results.every(({ epochs }) => epochs >= FULL_EPOCHS);
  const order = orderOf(paper.columns);
  const grids = gridsOf(number, runs, order).map((grid) =>
    fillGrid(grid, { scores, translation, comparable }),
  );
  const used = new Set(
    grids
      .flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))
      .flatMap((cell) => {
        if (!cell) return [];
        const of = cell.cell.kind === 'score' ? [cell.cell.score] : [cell.cell.of, cell.cell.minus];
        return of.flatMap((score) => scores.of(score).results);
      }),
  );
  const mixed = mixedVersions([...used]);
  if (mixed !== undefined && !allowMixed) {
    throw new OptionError(
      `${mixed}. Train those of one version again, or take them together with --allow-mixed.`,
      { option: 'allow-mixed', value: false, accepted: 'runs of one version' },
    );
  }
  const isOfMethods = order.some((name) => runs.entries.some(({ method }) => method === name));
  const unplanned = isOfMethods ? runs.unplanned(methodsIn(order)) : [];
  const claims = judgeClaims(place, stands, {
    scores,
    translation,
    untested: scale === 'smoke' ? UNTESTED : undefined,
  });
  return {
    place,
    scale,
    protocol,
    title: `Table ${number}. ${paper.title}${literal ? ', its phases read literally' : ''}`,
    heading: headingOf({ scale, protocol, results: [...used] }),
    grids,
    claims,
    notes: notesOf({ ...parts, place, grids, used: [...used], standIns: stands, unplanned, mixed }),
    command,
  };
}

/** The paper's columns: methods, datasets, or pairs of weights. */
const orderOf = (columns: string | readonly (string | readonly number[])[]): readonly string[] =>
  typeof columns === 'string'
    ? []
    : columns.map((column) => (typeof column === 'string' ? column : column.join()));
