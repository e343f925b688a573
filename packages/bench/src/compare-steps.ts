import { G2DError } from '@g2d/core';
import { measureStep, type StepMeasurement } from './measure-step.js';
import { stepTimes } from './step-times.js';
import type { Skipped } from './step-options.js';
import type { StepSetup } from './step-setup.js';

/** A method next to joint training, measured in turn with it. */
export interface ComparedStep {
  readonly method: string;
  /** Medians of a step in milliseconds, and of these the middle one of all rounds. */
  readonly ms: number;
  readonly joint: number;
  /** ms / joint of each round: the middle one, and the least and the most of them. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
  /** Of a method with several stages, in the last round. */
  readonly stages?: StepMeasurement['stages'];
}

/** What a comparison of methods found. */
export interface ComparedSteps {
  readonly methods: readonly ComparedStep[];
  readonly skipped: readonly Skipped[];
}

/**
 * Measures methods in turn with joint training, so that what else the machine does meets both.
 *
 * @param joint The setup of joint training.
 * @param after After each measurement.
 */
export async function compareSteps(
  joint: StepSetup,
  { setups, rounds }: { readonly setups: readonly StepSetup[]; readonly rounds: number },
  after: (method: string) => void,
): Promise<ComparedSteps> {
  const methods: ComparedStep[] = [];
  const skipped: Skipped[] = [];
  const measure = async (setup: StepSetup): Promise<StepMeasurement> => {
    const found = await measureStep(setup, () => {});
    after(setup.method);
    return found;
  };
  for (const setup of setups) {
    const { method } = setup;
    try {
      const own: StepMeasurement[] = [];
      const base: StepMeasurement[] = [];
      for (let round = 0; round < rounds; round++) {
        base.push(await measure(joint));
        own.push(await measure(setup));
      }
      const medians = (all: readonly StepMeasurement[]): number[] => all.map(({ ms }) => ms.median);
      const [mine, theirs] = [medians(own), medians(base)];
      const ratios = mine.map((ms, round) => ms / (theirs[round] as number));
      const { stages } = own.at(-1) as StepMeasurement;
      methods.push({
        method,
        ms: stepTimes(mine).median,
        joint: stepTimes(theirs).median,
        ratio: {
          median: stepTimes(ratios).median,
          min: Math.min(...ratios),
          max: Math.max(...ratios),
        },
        ...(stages && { stages }),
      });
    } catch (error) {
      // One that these data do not fit: encoders of other widths, for example.
      if (!G2DError.isInstance(error)) throw error;
      skipped.push({ method, reason: error.message });
    }
  }
  return { methods, skipped };
}
