import { claimsOf, type Claim, type Term } from './data/claims.js';
import type { StandIn } from './data/stand-ins.js';
import { labelOf, type Scores } from './layout/gather.js';
import { datasetName } from './layout/names.js';
import type { Translation } from './layout/published.js';
import { isError, type Score } from './layout/score.js';
import type { Arm } from './statistics/arm.js';
import {
  judgeAtLeast,
  judgeBest,
  judgeGreater,
  judgeIncreasing,
  judgeSmallerDrop,
  type Judged,
} from './statistics/verdict.js';

/** A claim in our words, and what came of it. */
export interface JudgedClaim extends Judged {
  readonly id: string;
  readonly dataset: string;
  /** As an inequality. */
  readonly claim: string;
  /** What the published numbers say of it. */
  readonly published: string;
}

/**
 * Judges the claims of a table, one by one, on the datasets that it has runs of.
 *
 * @param untested Why no claim is judged, where none is: too few samples to say anything.
 */
export function judgeClaims(
  place: string,
  standIns: readonly StandIn[],
  {
    scores,
    translation,
    untested,
  }: {
    readonly scores: Scores;
    readonly translation: Translation;
    readonly untested?: string | undefined;
  },
): readonly JudgedClaim[] {
  return standIns.flatMap((standIn) => {
    const judge = new Judge(standIn, scores, translation);
    const found = claimsOf(place)
      .filter(({ dataset }) => dataset === standIn.paper)
      .map((claim) => ({ claim, ...judge.of(claim) }))
      // What is not planned at this scale is no part of the table.
      .filter(({ claim, about }) => claim.kind === 'increasing' || about !== undefined);
    return found.map(({ claim: { id, published }, words, judged, about }) => ({
      id: `${id}${suffixOf(
        about,
        found.flatMap((other) => (other.claim.id === id ? [other.about] : [])),
      )}`,
      dataset: datasetName(standIn.ours),
      claim: words,
      published: publishedWords(published),
      ...(untested === undefined ? judged : { verdict: 'not tested' as const, why: untested }),
    }));
  });
}

/** What tells a claim from others of the same number: its case, else its method. */
function suffixOf(about: Score | undefined, all: readonly (Score | undefined)[]): string {
  if (all.length < 2) return '';
  const cases = all.map((score) => score?.case);
  const own = new Set(cases).size === all.length ? about?.case : about?.method;
  return own === undefined ? '' : ` (${own})`;
}

function publishedWords({ true: isTrue, gain, margin }: Claim['published']): string {
  const points = [gain, margin].find((value) => typeof value === 'number');
  const words = points === undefined ? '' : ` (${String(points).replace('-', '−')})`;
  return isTrue ? `true${words}` : `not true${words}`;
}

interface Found {
  readonly words: string;
  readonly judged: Judged;
  /** The score that the claim is about. */
  readonly about: Score | undefined;
}

class Judge {
  constructor(
    readonly standIn: StandIn,
    readonly scores: Scores,
    readonly translation: Translation,
  ) {}

  of(claim: Claim): Found {
    switch (claim.kind) {
      case 'greater':
      case 'less':
        return this.#pair(claim);
      case 'best': {
        const about = this.#score(claim.left);
        const [left, ...others] = this.#arms([claim.left, ...claim.others]);
        const names = others.map(({ label }) => label).join(', ');
        return { words: `${left?.label} > each of ${names}`, judged: judgeBest(left as Arm, others), about };
      }
      case 'increasing': {
        const levels = this.translation.levels(claim, this.standIn).map((score) => this.#arm(score));
        const names = levels.map(({ label }) => label).join(' < ');
        const judged = judgeIncreasing(levels, claim.tolerance);
        return { words: names, judged, about: undefined };
      }
      case 'smaller drop': {
        const { left, right, from } = claim;
        const [a, b, c, d] = this.#arms([
          { ...left, setting: from },
          left,
          { ...right, setting: from },
          right,
        ]) as [Arm, Arm, Arm, Arm];
        const words = `${a.label} − ${b.label} < ${c.label} − ${d.label}`;
        const judged = judgeSmallerDrop({ from: a, to: b }, { from: c, to: d });
        return { words, judged, about: this.#score(left) };
      }
    }
  }

  #pair({ id, kind, left, right }: Extract<Claim, { kind: 'greater' | 'less' }>): Found {
    const [first, second] = this.#arms([left, right]) as [Arm, Arm];
    // An error has been negated already: less of it is greater.
    const isLess = kind === 'less' && left.metric !== 'mape';
    const [above, below] = isLess ? [second, first] : [first, second];
    const tolerance = this.standIn.atLeast?.[id];
    const metric = left.metric === undefined || left.metric === 'accuracy' ? '' : `${METRICS[left.metric]}: `;
    const sign = kind === 'less' ? '<' : '>';
    const allowed = tolerance === undefined ? '' : kind === 'less' ? ` + ${tolerance}` : ` − ${tolerance}`;
    return {
      words: `${metric}${first.label} ${sign} ${second.label}${allowed}`,
      judged: tolerance === undefined ? judgeGreater(above, below) : judgeAtLeast(above, below, tolerance),
      about: this.#score(left),
    };
  }

  #score = (term: Term): Score | undefined => this.translation.claimed(term, this.standIn);

  /** A case that all of them have goes without saying: the claim's number has it. */
  #arms(terms: readonly Term[]): readonly Arm[] {
    const scores = terms.map(this.#score);
    const cases = new Set(scores.map((score) => score?.case));
    const shared = cases.size === 1 && scores[0]?.method !== undefined ? scores[0].case : undefined;
    return scores.map((score, at) =>
      score ? this.#arm(score, shared) : { label: `${terms[at]?.method} (not there)`, scores: new Map() },
    );
  }

  /** Of an error the negative: more is better, always. */
  #arm(score: Score, hidden?: string): Arm {
    const gathered = this.scores.of(score);
    const label = labelOf(score, hidden);
    if (!isError(score)) return { ...gathered, label };
    return { label, scores: new Map([...gathered.scores].map(([seed, value]) => [seed, -value])) };
  }
}

const METRICS: Readonly<Record<string, string>> = { mape: 'MAPE', 'r-squared': 'R²' };
