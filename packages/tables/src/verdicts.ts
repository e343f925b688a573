import { claimsOf, type Claim, type Term } from './data/claims.js';
import type { StandIn } from './data/stand-ins.js';
import type { Scores } from './layout/gather.js';
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
  return standIns.flatMap((standIn) =>
    claimsOf(place)
      .filter(({ dataset }) => dataset === standIn.paper)
      .map((claim) => {
        const { id, published } = claim;
        const judge = new Judge(standIn, scores, translation);
        const { words, judged } = judge.of(claim);
        return {
          id,
          dataset: datasetName(standIn.ours),
          claim: words,
          published: publishedWords(published),
          ...(untested === undefined ? judged : { verdict: 'not tested' as const, why: untested }),
        };
      }),
  );
}

function publishedWords({ true: isTrue, gain, margin }: Claim['published']): string {
  const points = [gain, margin].find((value) => typeof value === 'number');
  const words = points === undefined ? '' : ` (${points})`;
  return isTrue ? `true${words}` : `not true${words}`;
}

interface Found {
  readonly words: string;
  readonly judged: Judged;
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
        const [left, ...others] = [claim.left, ...claim.others].map((term) => this.#arm(term));
        const names = others.map(({ label }) => label).join(', ');
        return { words: `${left?.label} > each of ${names}`, judged: judgeBest(left as Arm, others) };
      }
      case 'increasing': {
        const levels = this.translation.levels(claim, this.standIn).map((score) => this.#armOf(score));
        const names = levels.map(({ label }) => label).join(' < ');
        return { words: `rises: ${names}`, judged: judgeIncreasing(levels, claim.tolerance) };
      }
      case 'smaller drop': {
        const drop = (term: Term) => ({
          from: this.#arm({ ...term, setting: claim.from }),
          to: this.#arm(term),
        });
        const [left, right] = [drop(claim.left), drop(claim.right)];
        const words = `${left.from.label} − ${left.to.label} < ${right.from.label} − ${right.to.label}`;
        return { words, judged: judgeSmallerDrop(left, right) };
      }
    }
  }

  #pair({ id, kind, left, right }: Extract<Claim, { kind: 'greater' | 'less' }>): Found {
    const [first, second] = [this.#arm(left), this.#arm(right)];
    // An error has been negated already: less of it is greater.
    const isLess = kind === 'less' && left.metric !== 'mape';
    const [above, below] = isLess ? [second, first] : [first, second];
    const tolerance = this.standIn.atLeast?.[id];
    const metric = left.metric === undefined || left.metric === 'accuracy' ? '' : `${METRICS[left.metric]}: `;
    const sign = kind === 'less' ? '<' : '>';
    if (tolerance === undefined) {
      return { words: `${metric}${first.label} ${sign} ${second.label}`, judged: judgeGreater(above, below) };
    }
    const allowed = kind === 'less' ? `+ ${tolerance}` : `− ${tolerance}`;
    return {
      words: `${metric}${first.label} ${sign} ${second.label} ${allowed}`,
      judged: judgeAtLeast(above, below, tolerance),
    };
  }

  #arm(term: Term): Arm {
    const score = this.translation.claimed(term, this.standIn);
    return score ? this.#armOf(score) : { label: `${term.method} (not there)`, scores: new Map() };
  }

  /** Of an error the negative: more is better, always. */
  #armOf(score: Score): Arm {
    const gathered = this.scores.of(score);
    if (!isError(score)) return gathered;
    const scores = new Map([...gathered.scores].map(([seed, value]) => [seed, -value]));
    return { label: gathered.label, scores };
  }
}

const METRICS: Readonly<Record<string, string>> = { mape: 'MAPE', 'r-squared': 'R²' };
