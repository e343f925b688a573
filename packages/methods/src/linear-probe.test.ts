import * as tf from '@tensorflow/tfjs';
import { concatFusion, lateFusion } from '@g2d/fusion';
import { evaluate, inferenceOf, readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { copyEncoders } from './copy-encoders.js';
import { linearProbe } from './linear-probe.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const joint: Parameters<typeof run<Modality>>[1] = { name: 'joint' };

/** The encoders' part of a state. */
const encoders = (state: ReturnType<typeof readState>) =>
  Object.fromEntries(Object.entries(state).filter(([name]) => /^(loud|quiet)\//.test(name)));

/** Names of what a training has changed. */
const changed = (before: ReturnType<typeof readState>, after: ReturnType<typeof readState>) =>
  Object.keys(after).filter((name) => after[name]!.values.join() !== before[name]!.values.join());

/** Teachers after a few epochs. */
async function teachers() {
  const [loud, quiet] = [
    modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 7 })),
    modelWith(lateFusion({ widths: { quiet: 5 }, classes: 3, seed: 7 })),
  ];
  await run(loud, { name: 'joint' }, { epochs: 10 });
  await run(quiet, { name: 'joint' }, { epochs: 10 });
  return { loud: readState(loud), quiet: readState(quiet) };
}

describe('linearProbe', () => {
  it.each([
    ['late', lateFusion, ['head/loud/kernel', 'head/loud/bias', 'head/quiet/kernel', 'head/quiet/bias']],
    ['concatenation', concatFusion, ['fusion/fc_out/kernel', 'fusion/fc_out/bias']],
  ] as const)(
    'trains heads on the teachers’ encoders, which stay bit for bit: %s fusion',
    async (_, fusion, heads) => {
      const saved = await teachers();
      const model = modelWith(fusion(options));
      copyEncoders(model, saved);
      const start = readState(model);
      expect(start['loud/bn/moving_variance']).toEqual(saved.loud['loud/bn/moving_variance']);
      expect(start['quiet/dense/kernel']).toEqual(saved.quiet['quiet/dense/kernel']);
      const log = await run(model, linearProbe(), { epochs: 10 });
      expect(changed(start, readState(model))).toEqual([...heads]);
      expect(Object.keys(log[0]!.loss)).toEqual(['total', 'student']);
      expect((await evaluate(inferenceOf(model), data)).accuracy['fused']).toBeGreaterThan(90);
    },
  );

  it('trains a head of each modality beside the fused one, as probes of the modalities alone would', async () => {
    const saved = await teachers();
    const method = linearProbe<Modality>({ heads: 'each' });
    const model = modelWith(method.fusion!(options));
    copyEncoders(model, saved);
    const start = readState(model);
    const log = await run(model, method, { epochs: 10 });
    expect(changed(start, readState(model))).toEqual([
      'fusion/fc_out/kernel',
      'fusion/fc_out/bias',
      'head/loud/kernel',
      'head/loud/bias',
      'head/quiet/kernel',
      'head/quiet/bias',
    ]);
    const { total, student, loud, quiet } = log[0]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(student! + loud! + quiet!, 5);

    // The head of one modality is what it would be if the others were not there.
    const alone = modelWith(lateFusion({ widths: { quiet: 5 }, classes: 3, seed: 0 }));
    copyEncoders(alone, { quiet: saved.quiet });
    await run<'quiet'>(alone, linearProbe(), { epochs: 10 });
    const [own, single] = [readState(model), readState(alone)];
    expect(Array.from(own['head/quiet/kernel']!.values)).toEqual(
      Array.from(single['head/quiet/kernel']!.values, (value) => expect.closeTo(value, 5)),
    );
    const { accuracy } = await evaluate(inferenceOf(model), data);
    expect(Object.keys(accuracy)).toEqual(['fused', 'loud', 'quiet']);
    expect(accuracy['loud']).toBeGreaterThan(accuracy['quiet']!);
  });

  it('probes a joint model’s encoders', async () => {
    const model = modelWith(lateFusion(options));
    await run(model, joint, { epochs: 3 });
    const probe = modelWith(concatFusion(options));
    const saved = readState(model);
    copyEncoders(probe, { loud: saved, quiet: saved });
    await run(probe, linearProbe(), { epochs: 2 });
    expect(encoders(readState(probe))).toEqual(encoders(saved));
  });

  it('says what it does not accept', () => {
    expect(() => linearProbe({ heads: 'all' as never })).toThrow(/`heads` is "all"/);
    const model = modelWith(lateFusion(options));
    const start = readState(model);
    const { 'quiet/bn/gamma': _, ...lacking } = start;
    expect(() => copyEncoders(model, { loud: start, quiet: lacking })).toThrow(
      /no "quiet\/bn\/gamma" in what was saved/,
    );
    expect(readState(model)).toEqual(start);
    const other = { ...model, modalities: ['other'] as const, state: () => model.state() };
    expect(() => copyEncoders(other as never, { other: start })).toThrow(
      /No variable of the model begins with "other\/"/,
    );
  });
});
