import type { FigureClaim } from '@g2d/analysis';
import type { Arm } from '../statistics/arm.js';
import { judgeGreater, type Judged } from '../statistics/verdict.js';

/** A claim of a figure's, judged. */
export interface JudgedFigureClaim extends FigureClaim {
  readonly judged: Judged;
}

/** Judges the claims of a figure by the differences seed by seed, as those of tables are. */
export const judgeFigureClaims = (
  claims: readonly FigureClaim[],
  { untested }: { readonly untested?: string | undefined } = {},
): readonly JudgedFigureClaim[] =>
  claims.map((claim) => ({
    ...claim,
    judged: untested === undefined ? judged(claim) : { verdict: 'not tested', why: untested },
  }));

function judged({ kind, limit, values }: FigureClaim): Judged {
  const known = values.filter(({ value }) => Number.isFinite(value));
  if (kind === 'always') return judgedAlways(known, limit);
  const [value, border] = [armOf(known), level(known, limit)];
  if (kind === 'above') return explained(judgeGreater(value, border), (way) => limit + way);
  return explained(judgeGreater(border, value), (way) => limit - way);
}

/** Mean and interval of the values themselves, not of how far they are on the right side of the limit. */
function explained(found: Judged, valueOf: (way: number) => number): Judged {
  const { mean, interval, n } = found;
  const ends = interval && [valueOf(interval.lower), valueOf(interval.upper)].sort((a, b) => a - b);
  return {
    ...found,
    ...(mean !== undefined && { mean: valueOf(mean) }),
    ...(ends && { interval: { lower: ends[0] as number, upper: ends[1] as number } }),
    ...(n === 1 && { why: 'one seed is too few for a verdict' }),
  };
}

/** It is about every epoch of every run, and needs no test. */
function judgedAlways(values: FigureClaim['values'], limit: number): Judged {
  if (values.length === 0) return { verdict: 'not tested', why: 'no run' };
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
  return { verdict: values.every(({ value }) => value >= limit) ? 'holds' : 'fails', n: values.length, mean };
}

const armOf = (values: FigureClaim['values']): Arm => ({
  label: 'value',
  scores: new Map(values.map(({ seed, value }) => [seed, value])),
});

const level = (values: FigureClaim['values'], limit: number): Arm => ({
  label: 'limit',
  scores: new Map(values.map(({ seed }) => [seed, limit])),
});
