// What one sees, in at most three sentences. Each follows from the numbers of the moment.
import { formatNumber } from '@g2d/core';
import type { ByModality, EpochReport, TeacherReport } from '../protocol.js';
import { MODALITIES, type Modality } from '../training/names.js';

/** What the sentences are about. */
export interface Facts {
  /** The method's label; joint training's own is `Joint`. */
  readonly label: string;
  readonly isJoint: boolean;
  readonly epochs: number;
  readonly history: readonly EpochReport[];
  /** Joint training beside it. */
  readonly joint: readonly EpochReport[];
  readonly teachers: TeacherReport | undefined;
}

const NAMES: ByModality<string> = { audio: 'sound', image: 'picture' };

const percent = (value: number): string => `${formatNumber(value, 0)} %`;
const other = (modality: Modality): Modality => (modality === 'audio' ? 'image' : 'audio');

/** A head counts as stopped where it is below this part of what its teacher reaches alone, or of the other head. */
const FAR_BEHIND = 0.6;
/** Percent of the training pairs from which on the loss has little left to teach. */
const EXPLAINED = 90;
/** Points of accuracy that 500 pairs can tell apart. */
const TELLING = 3;

export function findings(facts: Facts): readonly string[] {
  const now = facts.history.at(-1);
  if (!now) return facts.teachers ? [teacherSentence(facts.teachers)] : [];
  return [training(facts, now), heads(facts, now), comparison(facts, now)].filter(
    (sentence) => sentence !== undefined,
  );
}

const teacherSentence = ({ accuracy, mean }: TeacherReport): string =>
  `Alone, a network for the sound gets ${percent(accuracy.audio)} of the test pairs right and one for the picture ${percent(accuracy.image)}; the mean of the two gets ${percent(mean)}.`;

/** Who trains now, and why. */
function training(
  { epochs, history }: Facts,
  { epoch, coefficients, confidence }: EpochReport,
): string | undefined {
  if (!coefficients) return undefined;
  const alone = MODALITIES.find((m) => coefficients[m] > 0.5 && coefficients[other(m)] < 0.05);
  if (alone !== undefined) {
    const why =
      confidence &&
      `: its teacher gives the right digit ${formatNumber(confidence[alone], 2)} on average, the other one ${formatNumber(confidence[other(alone)], 2)}`;
    return `In epoch ${epoch} of ${epochs} only the encoder of the ${NAMES[alone]} is trained (κ of the ${NAMES[other(alone)]} is 0)${why ?? ''}.`;
  }
  const wasAlone = history.some(
    (past) => past.coefficients && MODALITIES.some((m) => past.coefficients![m] < 0.05),
  );
  const held = MODALITIES.find((m) => coefficients[m] < 0.95);
  if (held !== undefined)
    return `In epoch ${epoch} the gradients of the ${NAMES[held]} were multiplied by ${formatNumber(coefficients[held], 2)} on average, those of the ${NAMES[other(held)]} by ${formatNumber(coefficients[other(held)], 2)}.`;
  return wasAlone ? `In epoch ${epoch} both modalities train again, after one had gone first.` : undefined;
}

/** Which head has stayed behind, or that none has. */
function heads({ history, teachers }: Facts, now: EpochReport): string {
  const bar = (m: Modality): number => teachers?.accuracy[m] ?? now.accuracy[other(m)];
  const share = (m: Modality): number => now.accuracy[m] / bar(m);
  const behind = share('audio') < share('image') ? 'audio' : 'image';
  const reaches = teachers ? `, where its teacher alone reaches ${percent(teachers.accuracy[behind])}` : '';
  if (share(behind) >= FAR_BEHIND)
    return `Both heads are of use: the sound's is right in ${percent(now.accuracy.audio)} of the test pairs, the picture's in ${percent(now.accuracy.image)}.`;
  const suppressed = now.coefficients && now.coefficients[behind] < 0.05;
  const place = `The ${NAMES[behind]}'s head is at ${percent(now.accuracy[behind])}${reaches}`;
  if (suppressed) return `${place}: it does not train now.`;
  if (now.train.fused >= EXPLAINED)
    return `${place}: ${percent(now.train.fused)} of the training pairs are answered already, by the ${NAMES[other(behind)]} alone ${percent(now.train[other(behind)])}, so that the loss, ${formatNumber(now.loss, 2)}, has little left to teach it.`;
  const before = history.at(-6);
  const gained = before && now.accuracy[behind] - before.accuracy[behind];
  return gained !== undefined && gained >= TELLING
    ? `${place}, and gained ${formatNumber(gained, 0)} points in the last five epochs.`
    : `${place}.`;
}

/** The fused answer next to joint training at the same epoch, or next to the teachers. */
function comparison({ label, isJoint, joint, teachers }: Facts, now: EpochReport): string {
  const fused = `the fused answer is right in ${percent(now.accuracy.fused)}`;
  const same = isJoint ? undefined : joint.find(({ epoch }) => epoch === now.epoch);
  if (same) {
    const gain = now.accuracy.fused - same.accuracy.fused;
    const points = formatNumber(Math.abs(gain), 0);
    const words =
      Math.abs(gain) < TELLING
        ? `about as often as with joint training after as many epochs (${percent(same.accuracy.fused)})`
        : `${points} points ${gain > 0 ? 'more' : 'less'} than with joint training after as many epochs`;
    return `With ${label} ${fused}, ${words}.`;
  }
  const text = capital(fused);
  if (!teachers) return `${text} of the test pairs.`;
  const best = Math.max(teachers.accuracy.audio, teachers.accuracy.image);
  const name = NAMES[teachers.accuracy.audio > teachers.accuracy.image ? 'audio' : 'image'];
  return now.accuracy.fused > best
    ? `${text}, more than the better teacher alone (${percent(best)}); the mean of both teachers gets ${percent(teachers.mean)}.`
    : `${text}; the teacher of the ${name} alone gets ${percent(best)}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
