import { describe, expect, it } from 'vitest';
import type { EpochReport, TeacherReport } from '../protocol.js';
import { findings, type Facts } from './findings.js';

const teachers: TeacherReport = {
  accuracy: { audio: 59.9, image: 74.5 },
  confidence: { audio: 0.99, image: 0.74 },
  mean: 82.8,
};
const report = (
  epoch: number,
  [fused, audio, image]: readonly [number, number, number],
  more: Partial<EpochReport> = {},
): EpochReport => ({
  epoch,
  seconds: 1,
  accuracy: { fused, audio, image },
  train: { fused: 50, audio: 50, image: 20 },
  loss: 1.2,
  ...more,
});
const facts = (history: readonly EpochReport[], more: Partial<Facts> = {}): Facts => ({
  label: 'G2D',
  isJoint: false,
  epochs: 60,
  history,
  joint: [],
  teachers,
  ...more,
});

describe('findings', () => {
  it('say nothing before there are numbers, and then what the teachers reach', () => {
    expect(findings(facts([], { teachers: undefined }))).toEqual([]);
    expect(findings(facts([]))).toEqual([
      'Alone, a network for the sound gets 60 % of the test pairs right and one for the picture 74 %; the mean of the two gets 83 %.',
    ]);
  });

  it('say that a head has stopped where the training pairs are answered already', () => {
    const stopped = report(40, [58, 53, 21], { train: { fused: 100, audio: 100, image: 30 }, loss: 0.01 });
    expect(findings(facts([stopped], { label: 'Joint', isJoint: true }))).toEqual([
      "The picture's head is at 21 %, where its teacher alone reaches 74 %: 100 % of the training pairs are answered already, by the sound alone 100 %, so that the loss, 0.01, has little left to teach it.",
      'The fused answer is right in 58 %; the teacher of the picture alone gets 74 %.',
    ]);
  });

  it('do not say so while it is learning', () => {
    const history = [1, 2, 3, 4, 5, 6].map((epoch) => report(epoch, [50, 50, 10 + 4 * epoch]));
    expect(findings(facts(history))[0]).toBe(
      "The picture's head is at 34 %, where its teacher alone reaches 74 %, and gained 20 points in the last five epochs.",
    );
  });

  it('say who trains alone and why, and compare with joint training at the same epoch', () => {
    const now = report(12, [70, 20, 55], {
      coefficients: { audio: 0, image: 1 },
      confidence: { audio: 0.991, image: 0.69 },
    });
    expect(findings(facts([now], { joint: [report(12, [57, 52, 21]), report(13, [99, 9, 9])] }))).toEqual([
      'In epoch 12 of 60 only the encoder of the picture is trained (κ of the sound is 0): its teacher gives the right digit 0.69 on average, the other one 0.99.',
      "The sound's head is at 20 %, where its teacher alone reaches 60 %: it does not train now.",
      'With G2D the fused answer is right in 70 %, 13 points more than with joint training after as many epochs.',
    ]);
  });

  it('say when all train again, that both heads are of use, and where it comes to', () => {
    const history = [
      report(1, [60, 20, 50], { coefficients: { audio: 0, image: 1 } }),
      report(2, [84, 50, 66], { coefficients: { audio: 1, image: 1 } }),
    ];
    expect(findings(facts(history))).toEqual([
      'In epoch 2 both modalities train again, after one had gone first.',
      "Both heads are of use: the sound's is right in 50 % of the test pairs, the picture's in 66 %.",
      'The fused answer is right in 84 %, more than the better teacher alone (74 %); the mean of both teachers gets 83 %.',
    ]);
  });

  it('tell a factor that is neither 0 nor 1, and a difference that is none', () => {
    const now = report(3, [60, 50, 45], { coefficients: { audio: 0.61, image: 1 } });
    expect(
      findings(facts([now], { teachers: undefined, label: 'OGM', joint: [report(3, [59, 50, 20])] })),
    ).toEqual([
      'In epoch 3 the gradients of the sound were multiplied by 0.61 on average, those of the picture by 1.00.',
      "Both heads are of use: the sound's is right in 50 % of the test pairs, the picture's in 45 %.",
      'With OGM the fused answer is right in 60 %, about as often as with joint training after as many epochs (59 %).',
    ]);
  });
});
