// Cases of the systems for missing modalities: the backend without kernels of ours, what is refused, and what is noticed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { changedCase, filesOf, missingNames, temporaryFolder, type Json } from '../../test/parity-files.js';
import { exceeds } from '../compare.js';
import { EncoderPool } from '../encoder-pool.js';
import { loadCase, runCase } from '../run-case.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const run = (files: ReturnType<typeof filesOf>) => runCase(loadCase(files), new EncoderPool());

describe('a case of a system', () => {
  it.each(missingNames(''))('passes on the cpu backend: %s', async (name) => {
    const before = tf.memory().numTensors;
    const { checks } = await run(filesOf(name));
    expect(checks.filter(exceeds)).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is refused by name where nothing runs the system', () => {
    const folder = temporaryFolder();
    const files = { case: join(folder, 'case.json'), expected: join(folder, 'expected.json') };
    writeFileSync(
      files.case,
      JSON.stringify({ format: 'g2d-missing-case/1', id: 'other-1', system: 'other' }),
    );
    expect(() => loadCase(files)).toThrow(
      /`system` must be a system whose cases can be run \(.*cra, mmin.*\); it is "other"/,
    );
  });

  const refused: [string, (file: Json) => void, RegExp][] = [
    ['an unknown option', (file) => (file.options.decay = 1), /the key `options\.decay` is unknown/],
    ['dropout', (file) => (file.options.dropout = 0.5), /`options\.dropout` must be 0; it is 0\.5/],
    ['a missing option', (file) => delete file.options.clip, /`options\.clip` must be .*it is missing/],
    ['a further key', (file) => (file.model = {}), /the key `model` is unknown/],
    [
      'another version',
      (file) => (file.format = 'g2d-missing-case/2'),
      /`format` must be .*g2d-missing-case\/1/,
    ],
    [
      'a mask of other values',
      (file) => (file.batches.eval.masks[0][0] = 2),
      /`batches\.eval\.masks\[0\]\[0\]`/,
    ],
  ];
  it.each(refused)('refuses %s by name', (_, change, message) => {
    const files = changedCase('cra-classification', { case: (file) => void change(file) });
    expect(() => loadCase(files)).toThrow(message);
  });

  it('refuses tensors that have no place in the model, and masks of another width', async () => {
    const tensor = changedCase('cra-classification', {
      case: (file) => void file.models.model.tensors.push(['netQ.fc_out.weight', [4, 3], 0, 1]),
    });
    await expect(run(tensor)).rejects.toThrow(/netQ\.fc_out\.weight has no place in this model/);
    const masks = changedCase('cra-classification', {
      case: (file) => void file.batches.eval.masks[1].push(1),
    });
    await expect(run(masks)).rejects.toThrow(/`masks\[1\]` must have 3 entries: A, V, L/);
  });

  it('notices another limit, other momenta and another weight', async () => {
    const first = async (name: string, change: (file: Json) => void) =>
      (await run(changedCase(name, { case: (file) => void change(file) }))).checks.find(exceeds)?.key;
    expect(await first('cra-classification', (file) => (file.options.clip = 4))).toMatch(
      /^steps\[1\]\.clipped/,
    );
    expect(await first('cra-classification', (file) => (file.options.betas[0] = 0.9))).toMatch(
      // The first step of Adam is the same for every β₁: the losses of the third batch are the first that tell.
      /^steps\[2\]\.losses/,
    );
    expect(await first('mmin-gcnet', (file) => (file.options.cycleWeight = 1))).toMatch(
      /^steps\[0\]\.losses/,
    );
  });
});
