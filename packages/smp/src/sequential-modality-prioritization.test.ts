import * as tf from '@tensorflow/tfjs';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { G2DError, type PerModality } from '@g2d/core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { byPrefix, type ModalityOf } from './modality-of.js';
import { SequentialModalityPrioritization } from './sequential-modality-prioritization.js';
import type { SmpOptions } from './smp-options.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type M = 'audio' | 'video';
const modalityOf = byPrefix({ audio: 'audio/', video: 'video/' });
const confidence = { audio: 0.9, video: 0.4 };

/** Variables whose names begin with these; TensorFlow.js refuses a name twice, so that each gets a suffix. */
const variablesOf = (names: readonly string[], shape: number[] = [2]): tf.Variable[] =>
  names.map((name) => tf.variable(tf.ones(shape), true, `${name}/${Math.random()}`));

const create = (options: Partial<SmpOptions<M>> = {}) =>
  new SequentialModalityPrioritization<M>({ modalityOf, phaseEpochs: [2, 2], ...options });

const three = (options: Partial<SmpOptions<'a' | 't' | 'v'>> = {}) =>
  new SequentialModalityPrioritization({
    modalityOf: byPrefix({ a: 'a/', t: 't/', v: 'v/' }),
    phaseEpochs: [75, 75, 150],
    ...options,
  });

describe('SequentialModalityPrioritization', () => {
  it('trains everything before the first update', () => {
    expect(create().coefficients).toEqual({ audio: 1, video: 1 });
  });

  it('suppresses the more confident modality in phase 1 and nothing afterwards', () => {
    const variables = variablesOf(['audio/w', 'video/w', 'fusion/w']);
    const loss = () => tf.sum(tf.addN(variables.map((v) => tf.square(v)))) as tf.Scalar;
    const smp = create();
    smp.update({ epoch: 2, confidence });
    expect(smp.coefficients).toEqual({ audio: 0, video: 1 });
    const active = smp.activeVariables(variables);
    expect(active).toEqual(variables.slice(1));
    for (const differentiated of [active, variables]) {
      const gradients = smp.modulate(tf.variableGrads(loss, differentiated).grads, variables);
      expect(gradients.map(({ name }) => name)).toEqual(variables.map(({ name }) => name));
      expectTensorClose(gradients[0]!.tensor, [0, 0], {});
      expectTensorClose(gradients[1]!.tensor, [2, 2], {});
      expectTensorClose(gradients[2]!.tensor, [2, 2], {});
    }
    expectNoLeak(() =>
      tf.tidy(() =>
        tf.dispose(smp.modulate(tf.variableGrads(loss, active).grads, variables).map((g) => g.tensor)),
      ),
    );
    smp.update({ epoch: 3, confidence });
    expect(smp.activeVariables(variables)).toEqual(variables);
  });

  it('has the κ of three modalities that are computed by hand, over every boundary of both schedules', () => {
    const [t, v, all] = [
      { a: 0, t: 1, v: 0 },
      { a: 0, t: 0, v: 1 },
      { a: 1, t: 1, v: 1 },
    ];
    const at = (smp: ReturnType<typeof three>, epoch: number) => {
      smp.update({ epoch, confidence: { a: 0.7, t: 0.3, v: 0.5 } });
      return smp.coefficients;
    };
    const paper = three();
    expect([1, 75, 76, 150, 151, 300, 1000].map((e) => at(paper, e))).toEqual([t, t, v, v, all, all, all]);
    const released = three({ schedule: 'released' });
    expect([1, 76, 77, 151, 152, 300].map((e) => at(released, e))).toEqual([t, t, v, v, all, all]);
  });

  it('lets ties train together, or takes the earlier one', () => {
    const tied = { a: 0.5, t: 0.2, v: 0.5 };
    const together = three();
    together.update({ epoch: 76, confidence: tied });
    expect(together.coefficients).toEqual({ a: 1, t: 0, v: 1 });
    const ordered = three({ ties: 'order' });
    ordered.update({ epoch: 76, confidence: tied });
    expect(ordered.coefficients).toEqual({ a: 1, t: 0, v: 0 });
    const reversed = three({ ties: 'order', modalities: ['v', 't', 'a'] });
    reversed.update({ epoch: 76, confidence: tied });
    expect(reversed.coefficients).toEqual({ a: 0, t: 0, v: 1 });
  });

  it('damps instead of shutting down with partial suppression', () => {
    const smp = three({ suppression: 'partial' });
    const rho = { a: 0.9, t: 0.3, v: 0.6 };
    smp.update({ epoch: 76, confidence: rho });
    expect(smp.coefficients.a).toBeCloseTo(1 - Math.tanh(1.5), 12);
    expect(smp.coefficients.t).toBeCloseTo(1 - Math.tanh(0.5), 12);
    expect(smp.coefficients.v).toBe(1);
    expect(smp.activeVariables(variablesOf(['a/w', 't/w', 'v/w']))).toHaveLength(3);
  });
});

describe('a modality that no sample of the batch has', () => {
  const kappa = (
    epoch: number,
    a: number | null,
    t: number | null,
    v: number | null,
    suppression?: 'partial',
  ) => {
    const smp = three(suppression ? { suppression } : {});
    smp.update({ epoch, confidence: { a, t, v } });
    return smp.coefficients;
  };

  it('is not ranked, has κ = 0 in the prioritized phases and 1 in the joint one', () => {
    expect(kappa(1, 0.7, null, 0.5)).toEqual({ a: 0, t: 0, v: 1 });
    expect(kappa(76, 0.7, null, 0.5)).toEqual({ a: 1, t: 0, v: 0 });
    // Phase 2 of one that is ranked.
    expect(kappa(76, null, null, 0.5)).toEqual({ a: 0, t: 0, v: 1 });
    expect(kappa(151, 0.7, null, 0.5)).toEqual({ a: 1, t: 1, v: 1 });
    expect(kappa(1, 0.7, null, 0.5, 'partial')).toMatchObject({ t: 0, v: 1 });
    expect(kappa(1, 0.5, null, 0.5)).toEqual({ a: 1, t: 0, v: 1 });
  });

  it('suppresses nobody if all are absent', () => {
    for (const epoch of [1, 76, 151]) expect(kappa(epoch, null, null, null)).toEqual({ a: 1, t: 1, v: 1 });
  });
});

describe('ranking', () => {
  it('batch: every update ranks anew', () => {
    const smp = create();
    smp.update({ epoch: 1, confidence: { audio: 0.9, video: 0.4 } });
    expect(smp.coefficients).toEqual({ audio: 0, video: 1 });
    smp.update({ epoch: 1, confidence: { audio: 0.3, video: 0.4 } });
    expect(smp.coefficients).toEqual({ audio: 1, video: 0 });
  });

  it('epoch: by the mean so far in the first epoch, afterwards by the mean of the previous one', () => {
    const smp = create({ ranking: 'epoch', phaseEpochs: [9, 1] });
    const kappa = (
      epoch: number,
      audio: number | null,
      video: number | null,
      samples?: number | PerModality<M, number>,
    ) => {
      smp.update({ epoch, confidence: { audio, video }, ...(samples !== undefined && { samples }) });
      return smp.coefficients;
    };
    const [audio, video] = [
      { audio: 1, video: 0 },
      { audio: 0, video: 1 },
    ];
    expect(kappa(1, 0.9, 0.4)).toEqual(video);
    // Means so far: 0.5 and 0.55.
    expect(kappa(1, 0.1, 0.7)).toEqual(audio);
    // The mean of the epoch before counts, not the batch.
    expect(kappa(2, 0.9, 0.1)).toEqual(audio);
    expect(kappa(2, 0.8, 0.2)).toEqual(audio);
    expect(kappa(3, 0.1, 0.9)).toEqual(video);
    // Weighted by samples: (0.1 + 9 · 0.5)/10 = 0.46 and (0.9 + 9 · 0.4)/10 = 0.45; without, 0.3 and 0.65.
    kappa(3, 0.5, 0.4, 9);
    expect(kappa(4, 0.5, 0.5)).toEqual(video);
    // By modality: (0.5 + 8 · 0.1)/9 < (0.5 + 0.2)/2; by a common weight it would be equal again.
    kappa(4, 0.1, 0.2, { audio: 8, video: 1 });
    expect(kappa(5, 0.9, 0.1)).toEqual(audio);
    // An absent modality changes no mean: audio 0.9, video (0.1 + 0.95)/2.
    kappa(5, null, 0.95);
    expect(kappa(6, 0.1, 0.9)).toEqual(video);
    // Absent now, though ranked by the epoch before.
    expect(kappa(6, 0.1, null)).toEqual(audio);
    // Absent in the whole epoch before: by what it has in this one.
    kappa(7, null, 0.5);
    expect(kappa(8, 0.4, 0.9)).toEqual(audio);
  });

  it('dataset: once for the run, with or without confidences of the batch', () => {
    const smp = create({ ranking: { dataset: { audio: 0.3, video: 0.8 } } });
    smp.update({ epoch: 1 });
    expect(smp.coefficients).toEqual({ audio: 1, video: 0 });
    smp.update({ epoch: 1, confidence });
    expect(smp.coefficients).toEqual({ audio: 1, video: 0 });
    smp.update({ epoch: 1, confidence: { audio: null, video: 0.5 } });
    expect(smp.coefficients).toEqual({ audio: 0, video: 1 });
    const tied = create({ ranking: { dataset: { audio: 0.5, video: 0.5 } } });
    tied.update({ epoch: 1 });
    expect(tied.coefficients).toEqual({ audio: 1, video: 1 });
    const partial = create({ ranking: { dataset: { audio: 0.3, video: 0.6 } }, suppression: 'partial' });
    partial.update({ epoch: 1 });
    expect(partial.coefficients).toEqual({ audio: 1, video: 1 - Math.tanh(2) });
  });

  it('fixed: the order given; partial suppression needs confidences then', () => {
    const smp = three({ ranking: { fixed: ['v', 'a', 't'] } });
    smp.update({ epoch: 1 });
    expect(smp.coefficients).toEqual({ a: 0, t: 0, v: 1 });
    // Equal confidences are no tie.
    smp.update({ epoch: 76, confidence: { a: 0.5, t: 0.5, v: 0.5 } });
    expect(smp.coefficients).toEqual({ a: 1, t: 0, v: 0 });
    smp.update({ epoch: 76, confidence: { a: null, t: 0.5, v: 0.5 } });
    expect(smp.coefficients).toEqual({ a: 0, t: 1, v: 0 });
    const partial = create({ ranking: { fixed: ['audio', 'video'] }, suppression: 'partial' });
    partial.update({ epoch: 1, confidence: { audio: 0.8, video: 0.4 } });
    expect(partial.coefficients).toEqual({ audio: 1, video: 1 - Math.tanh(0.5) });
    expect(() => partial.update({ epoch: 1 })).toThrow(
      '`confidence.audio` is undefined; expected a number in [0, 1], or null if no sample has it.',
    );
  });
});

describe('scope', () => {
  const names = ['audio/conv', 'audio/bn', 'video/conv', 'video/bn', 'head/audio', 'head/video', 'fusion'];
  const variables = () =>
    names.map((name) => variablesOf([name], name.endsWith('conv') ? [1, 1, 1, 2] : [2])[0] as tf.Variable);
  const headOf: ModalityOf<M> = byPrefix({ audio: 'head/audio', video: 'head/video' });
  const suppressed = (options: Partial<SmpOptions<M>>) => {
    const all = variables();
    const smp = create({ variables: all, ...options });
    smp.update({ epoch: 1, confidence });
    const active = smp.activeVariables(all);
    return names.filter((_, i) => !active.includes(all[i] as tf.Variable));
  };

  it('selects all of an encoder, its convolutions, or its head too', () => {
    expect(suppressed({})).toEqual(['audio/conv', 'audio/bn']);
    expect(suppressed({ scope: 'conv' })).toEqual(['audio/conv']);
    expect(suppressed({ scope: 'encoder+head', headOf })).toEqual(['audio/conv', 'audio/bn', 'head/audio']);
  });

  it('says which modality has no variable, at construction or at the first step', () => {
    const all = variablesOf([...names.slice(0, 2), 'visual/conv', 'visual/bn', 'head']);
    const message = '`variables` is ["audio/","visual/","head/"]; expected a variable of video.';
    expect(() => create({ variables: all })).toThrow(message);
    expect(() => create().activeVariables(all)).toThrow(message);
    expect(() => create().modulate({}, all)).toThrow(message);
    const plain = (name: string) => (name.startsWith('audio/') ? 'audio' : undefined);
    expect(() => create({ modalities: ['audio', 'video'], modalityOf: plain, variables: all })).toThrow(
      message,
    );
    expect(() => create({ scope: 'encoder+head', headOf, variables: variables().slice(0, 5) })).toThrow(
      '`variables` is ["audio/","video/","head/"]; expected a head of video.',
    );
  });

  it('looks once', () => {
    const all = variables();
    const smp = create();
    smp.activeVariables(all);
    expect(smp.activeVariables(all.slice(0, 1))).toHaveLength(1);
  });

  it('refuses the scope conv where there is nothing with four axes', () => {
    expect(() => create({ scope: 'conv', variables: variablesOf(['audio/w', 'video/w']) })).toThrow(
      '`variables` is ["audio/","video/"]; expected a convolution kernel of audio.',
    );
  });

  it('refuses a modality that nobody listed', () => {
    const modalityOf = (name: string) => name.slice(0, 5) as M;
    const options = { modalityOf, modalities: ['audio', 'video'] } as const;
    const all = variablesOf(['audio/w', 'video/w', 'texts/w']);
    const message = /^`modalityOf\("texts\/w.*"\)` is "texts"; expected one of audio,video\.$/;
    expect(() => create({ ...options, variables: all })).toThrow(message);
    expect(() => create(options).activeVariables(all)).toThrow(message);
  });
});

describe('trainingMode', () => {
  it('is false only for a suppressed modality, and only if inference was chosen', () => {
    for (const suppressedBatchNorm of ['training', 'inference'] as const) {
      const smp = create({ suppressedBatchNorm });
      const modes = () => [smp.trainingMode('audio'), smp.trainingMode('video')];
      expect(modes()).toEqual([true, true]);
      smp.update({ epoch: 1, confidence });
      expect(modes()).toEqual([suppressedBatchNorm === 'training', true]);
      smp.update({ epoch: 3, confidence });
      expect(modes()).toEqual([true, true]);
    }
  });
});

it.each(['vidoe', 'constructor'])('trainingMode refuses %s, which is no modality', (name) => {
  expect(() => create().trainingMode(name as M)).toThrow(
    `\`modality\` is "${name}"; expected one of audio,video.`,
  );
});

describe('getState and setState', () => {
  it('go on identically in the middle of an epoch, through JSON', () => {
    const options = { ranking: 'epoch', phaseEpochs: [9, 1], suppression: 'partial' } as const;
    const steps = [
      [1, 0.9, 0.4],
      [1, 0.1, 0.8],
      [2, 0.5, 0.3],
      [2, 0.7, 0.1],
      [3, 0.1, 0.3],
      [3, 0.6, 0.2],
    ] as const;
    const run = (smp: ReturnType<typeof create>, from: number, to: number) =>
      steps.slice(from, to).map(([epoch, audio, video]) => {
        smp.update({ epoch, confidence: { audio, video }, samples: 3 });
        return smp.coefficients;
      });
    for (let cut = 0; cut <= steps.length; cut++) {
      const whole = create(options);
      const expected = run(whole, 0, steps.length);
      const first = create(options);
      const before = run(first, 0, cut);
      const second = create(options);
      second.setState(JSON.parse(JSON.stringify(first.getState())));
      expect(second.coefficients).toEqual(first.coefficients);
      expect([...before, ...run(second, cut, steps.length)]).toEqual(expected);
      expect(second.getState()).toEqual(whole.getState());
    }
  });

  it('share nothing with the state inside', () => {
    const smp = create();
    const state = smp.getState();
    (state.coefficients as Record<M, number>).audio = 0;
    expect(smp.coefficients.audio).toBe(1);
    smp.setState(state);
    (state.coefficients as Record<M, number>).audio = 0.5;
    expect(smp.coefficients.audio).toBe(0);
  });

  it('refuse what is not whole', () => {
    const smp = create();
    const state = smp.getState();
    const set = (change: object) => () => smp.setState({ ...state, ...change });
    expect(set({ version: 2 })).toThrow(/`state` is {"version":2,.*}; expected what `getState` gave\./);
    expect(set({ epoch: 0.5 })).toThrow(/`state` is/);
    expect(set({ epoch: undefined })).toThrow(/`state` is/);
    expect(set({ coefficients: { audio: 1, vidoe: 1 } })).toThrow(/`state` is/);
    expect(set({ coefficients: { audio: 1, video: 1, text: 1 } })).toThrow(/`state` is/);
    expect(set({ coefficients: { audio: 2, video: 1 } })).toThrow(/`state` is/);
    expect(set({ coefficients: { audio: null, video: 1 } })).toThrow(/`state` is/);
    expect(set({ current: { audio: { sum: 2, samples: 1 }, video: { sum: 0, samples: 0 } } })).toThrow(
      /`state` is/,
    );
    expect(set({ previous: { audio: { sum: 0 }, video: null } })).toThrow(/`state` is/);
    expect(() => smp.setState(null as never)).toThrow(/`state` is null/);
    expect(() => smp.setState(three().getState() as never)).toThrow(/`state` is/);
    expect(smp.getState()).toEqual(state);
  });
});

describe('without update', () => {
  afterEach(() => vi.restoreAllMocks());

  it('trains all, and says so once', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const all = variablesOf(['audio/w', 'video/w']);
    const smp = create({ variables: all });
    expect(smp.activeVariables(all)).toHaveLength(2);
    expect(warn).not.toHaveBeenCalled();
    for (let step = 0; step < 3; step++) smp.modulate({}, all);
    expect(warn.mock.calls).toEqual([['@g2d/smp: without `update` every modality trains.']]);
    const updated = create();
    updated.update({ epoch: 1, confidence: { audio: 0.5, video: 0.4 } });
    updated.modulate({}, all);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describe('wrong options', () => {
  it.each<[Partial<Record<keyof SmpOptions<M>, unknown>>, string]>([
    [
      { phaseEpochs: [1, 2, 3] },
      '`phaseEpochs` is [1,2,3]; expected a whole number for each of audio,video, the last for the joint phase.',
    ],
    [{ phaseEpochs: [1.5, 2] }, '`phaseEpochs` is [1.5,2]; expected a whole number for each of audio,video'],
    [{ phaseEpochs: [-1, 2] }, '`phaseEpochs` is [-1,2]'],
    [
      { modalityOf: () => undefined },
      '`modalities` is undefined; expected each of `modalityOf` once, of letters, digits, ".", "_", "-".',
    ],
    [
      { modalities: ['audio', 'audio'] },
      '`modalities` is ["audio","audio"]; expected each of `modalityOf` once',
    ],
    [{ modalities: [] }, '`modalities` is []'],
    [{ modalities: ['audio', 'text'] }, 'expected each of `modalityOf` once'],
    [{ modalities: ['audio'], phaseEpochs: [1] }, 'expected each of `modalityOf` once'],
    [
      { modalityOf: byPrefix({ audio: 'a/', 'front camera': 'v/' } as never) },
      '`modalities` is ["audio","front camera"]',
    ],
    [
      { modalityOf: byPrefix({ audio: 'a/', constructor: 'v/' } as never) },
      '`modalities` is ["audio","constructor"]',
    ],
    [{ scope: 'convs' }, '`scope` is "convs"; expected one of encoder,conv,encoder+head.'],
    [{ onZero: 'skip' }, '`onZero` is "skip"; expected one of zero,freeze.'],
    [{ suppression: 'freeze' }, '`suppression` is "freeze"; expected one of complete,partial.'],
    [{ schedule: 'code' }, '`schedule` is "code"'],
    [{ ties: 'both' }, '`ties` is "both"'],
    [{ suppressedBatchNorm: false }, '`suppressedBatchNorm` is false; expected one of training,inference.'],
    [{ scope: 'encoder+head' }, '`scope` is "encoder+head"; expected `headOf` and "encoder+head" together.'],
    [{ headOf: modalityOf }, '`scope` is "encoder"; expected `headOf` and "encoder+head" together.'],
    [{ ranking: 'random' }, '`ranking` is "random"; expected batch, epoch, { dataset'],
    [{ ranking: { dataset: { audio: 0.5 } } }, '`ranking` is {"dataset":{"audio":0.5}}'],
    [{ ranking: { dataset: { audio: 0.5, video: 2 } } }, '{ fixed } for each of audio,video.'],
    [{ ranking: { dataset: { audio: 0.5, video: 0.5, text: 0.5 } } }, '`ranking`'],
    [{ ranking: { fixed: ['audio'] } }, '`ranking` is {"fixed":["audio"]}'],
    [{ ranking: { fixed: ['audio', 'audio'] } }, '`ranking`'],
    [{ ranking: {} }, '`ranking` is {}'],
    [{ ranking: null }, '`ranking` is null'],
    [
      { phaseEpochs: undefined },
      '`phaseEpochs` is undefined; expected a whole number for each of audio,video',
    ],
    [{ modalityOf: undefined }, '`modalityOf` is undefined; expected a function.'],
    [{ modalityOf: { audio: 'audio/' } }, '`modalityOf` is {"audio":"audio/"}; expected a function.'],
    // What the types do not see in plain JavaScript.
    [
      { onzero: 'freeze' } as object,
      '`onzero` is "unknown"; expected one of modalityOf,phaseEpochs,headOf,ranking,modalities,variables,scope,onZero,suppression,schedule,ties,suppressedBatchNorm.',
    ],
    [{ phaseEpoch: [1, 2] } as object, '`phaseEpoch` is "unknown"; expected one of modalityOf,phaseEpochs,'],
  ])('%j', (options, message) => {
    let error: unknown;
    try {
      create(options as Partial<SmpOptions<M>>);
    } catch (thrown) {
      error = thrown;
    }
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_OPTION');
    expect((error as Error).message).toContain(message);
  });

  it('treat an option that is undefined as one that is not given', () => {
    const options = { scope: undefined, ranking: undefined, ties: undefined };
    const smp = create(options as unknown as Partial<SmpOptions<M>>);
    smp.update({ epoch: 1, confidence: { audio: 0.5, video: 0.5 } });
    expect(smp.coefficients).toEqual({ audio: 1, video: 1 });
  });

  it('of update', () => {
    const smp = create();
    expect(() => smp.update({ epoch: 0, confidence })).toThrow(
      '`epoch` is 0; expected whole numbers from 1: in callbacks add 1.',
    );
    expect(() => smp.update({ epoch: 1, confidence: { audio: 1, video: NaN } })).toThrow(
      '`confidence.video` is NaN; expected a number in [0, 1], or null if no sample has it.',
    );
    expect(() => smp.update({ epoch: 1 })).toThrow(/`confidence\.audio` is undefined/);
    expect(() => smp.update({ epoch: 1, confidences: confidence } as never)).toThrow(
      '`confidences` is "unknown"; expected one of epoch,confidence,samples.',
    );
    expect(() => smp.update({ epoch: 1, confidence, samples: 0 })).toThrow(
      '`samples` is 0; expected a number above 0.',
    );
    // Of an absent modality there are none.
    smp.update({ epoch: 1, confidence: { audio: null, video: 1 }, samples: { audio: 0, video: 2 } });
    // @ts-expect-error A misspelt modality does not compile.
    expect(() => smp.update({ epoch: 1, confidence: { audio: 1, vidoe: 0 } })).toThrow(
      /`confidence\.video` is undefined/,
    );
  });

  it('that are misspelt modalities do not compile', () => {
    const given = { modalityOf, phaseEpochs: [1, 1] };
    const names = ['audio', 'vidoe'] as const;
    const dataset = { audio: 1, vidoe: 1 };
    // @ts-expect-error
    const modalities = () => new SequentialModalityPrioritization({ ...given, modalities: names });
    // @ts-expect-error
    const fixed = () => new SequentialModalityPrioritization({ ...given, ranking: { fixed: names } });
    // @ts-expect-error
    const measured = () => new SequentialModalityPrioritization({ ...given, ranking: { dataset } });
    expect(modalities).toThrow(/`modalities`/);
    for (const wrong of [fixed, measured]) expect(wrong).toThrow(/`ranking`/);
  });
});
