// Which masks a run has: its own seed and modalities, or what it began with.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { settingsDigest, settingsDigestNow } from './identity.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

interface Recorded {
  readonly data: { readonly missing: Readonly<Record<string, unknown>> };
  readonly identity: Readonly<Record<string, unknown>>;
}

let root: string;
const at = (...names: string[]): string => join(root, ...names);
const config = (missing: object, changes: object = {}) =>
  parseConfig(toyConfig({ epochs: 2, seed: 3, data: { missing }, ...changes }));
const read = (...names: string[]): string => readFileSync(at(...names), 'utf8');
const recorded = (name: string): Recorded => JSON.parse(read(name, 'config.json')) as Recorded;
const weights = (name: string): string => read(name, 'checkpoints/last/model.safetensors');

/** Trains so many steps only. */
async function stopped(name: string, given: ReturnType<typeof config>, steps: number): Promise<void> {
  const controller = new AbortController();
  let done = 0;
  const reporter = { begin: () => {}, epoch: () => {}, note: () => {} };
  const step = (): void => void (++done === steps && controller.abort());
  await trainRun(given, { out: at(name), signal: controller.signal, reporter: { ...reporter, step } });
}

/** A folder as an earlier version would have left it, which did not record where its masks come from. */
function asEarlier(name: string): void {
  const { identity, data, ...rest } = recorded(name);
  const { seed: _, modalities: __, ...missing } = data.missing;
  const { settings: ___, ...others } = identity;
  const file = { ...rest, data: { ...data, missing }, identity: others };
  writeFileSync(at(name, 'config.json'), JSON.stringify(file));
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  root = mkdtempSync(join(tmpdir(), 'g2d-mask-settings-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the masks of a run', () => {
  it('are of its own seed and modalities, which it records', async () => {
    await trainRun(config({ rate: 0.4 }), { out: at('own') });
    await trainRun(config({ rate: 0.4, seed: 3, modalities: ['quiet', 'loud'] }), { out: at('said') });
    await trainRun(config({ rate: 0.4, seed: 0 }), { out: at('other') });
    expect(recorded('own').data.missing).toEqual({ rate: 0.4, seed: 3, modalities: ['loud', 'quiet'] });
    expect(read('own/masks/train.csv')).toBe(read('said/masks/train.csv'));
    expect(read('own/masks/train.csv')).not.toBe(read('other/masks/train.csv'));
    expect(weights('own')).toBe(weights('said'));
  });

  it('stay when it goes on, with its configuration or with what it recorded', async () => {
    for (const [name, again] of [
      ['again', config({ rate: 0.4 })],
      ['from-folder', undefined],
    ] as const) {
      await stopped(name, config({ rate: 0.4 }), 2);
      await trainRun(again ?? parseConfig(recorded(name)), { out: at(name), resume: true });
      expect(weights(name)).toBe(weights('own'));
    }
    await stopped('changed', config({ rate: 0.4 }), 2);
    await expect(
      trainRun(config({ rate: 0.4, seed: 4 }), { out: at('changed'), resume: true }),
    ).rejects.toThrow(/began with "data\.missing\.seed" 3, but now it is 4/);
  });

  it('stay those of an earlier version, whose seed was 0, over all modalities of the data', async () => {
    const earlier = config({ rate: 0.4, seed: 0, modalities: 'all' });
    await trainRun(earlier, { out: at('whole') });
    await stopped('earlier', earlier, 2);
    asEarlier('earlier');
    expect(recorded('earlier').data.missing).toEqual({ rate: 0.4 });
    const masks = read('earlier/masks/train.csv');
    // With the configuration of then, which says nothing either.
    await trainRun(config({ rate: 0.4 }), { out: at('earlier'), resume: true });
    expect(read('earlier/masks/train.csv')).toBe(masks);
    expect(weights('earlier')).toBe(weights('whole'));
  });

  it('have the checksum that an earlier version gave its settings', () => {
    const begun = (missing: object) =>
      parseConfig({ ...toyConfig({ data: { missing } }), format: 'g2d-run' });
    // As it wrote them: without a seed, or with one.
    for (const [missing, said] of [
      [{ rate: 0.4 }, { rate: 0.4 }],
      [
        { rate: 0.4, seed: 0 },
        { rate: 0.4, seed: 0 },
      ],
      [
        { rate: 0.4, seed: 5 },
        { rate: 0.4, seed: 5 },
      ],
    ] as const) {
      const before = settingsDigest(config(said, { epochs: 4, seed: 0 }));
      expect(settingsDigestNow(begun(missing), before)).toBe(before);
      expect(settingsDigestNow(begun({ ...missing, rate: 0.5 }), before)).not.toBe(before);
    }
  });

  it('are over what a teacher names, of which it has one', async () => {
    const loud = { modalities: ['loud'] };
    await trainRun(config({ rate: 0.4, modalities: ['loud', 'quiet'] }, loud), { out: at('teacher') });
    // It lacks what its student lacks.
    expect(read('teacher/masks/train.csv')).toBe(read('own/masks/train.csv'));
    await trainRun(config({ rate: 0.4 }, loud), { out: at('alone') });
    expect(read('alone/masks/train.csv')).toMatch(/^id,loud\n/);
    expect((JSON.parse(read('alone/summary.json')) as { missing: object }).missing).toMatchObject({
      train: 0,
    });
    await expect(
      trainRun(config({ rate: 0.4, modalities: ['loud', 'smell'] }), { out: at('none') }),
    ).rejects.toThrow(/The dataset toy \("data\.missing\.modalities"\) has no modality "smell"/);
  });
});
