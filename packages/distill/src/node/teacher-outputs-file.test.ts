import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { decodeSafetensors } from '@g2d/formats';
import { G2DError } from '@g2d/core';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TeacherOutputsFile } from './teacher-outputs-file.js';
import { writeTeacherOutputs, type TeacherBatch } from './write-teacher-outputs.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-teacher-outputs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
/** A file name in a folder of its own. */
function newFile(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return join(folder, 'audio.safetensors');
}
const beside = (file: string): string[] => readdirSync(join(file, '..'));

const identity = { teacherHash: 'abc', augmentationSeed: 7 };
const batch = (ids: string[], logits: number[][], features: number[][]): TeacherBatch => ({
  ids,
  outputs: { logits: tf.tensor2d(logits), features: tf.tensor2d(features) },
});
/** Three samples in two batches: C = 2, D = 3. */
const three = (): TeacherBatch[] => [
  batch(
    ['c', '__proto__'],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [10, 11, 12],
      [20, 21, 22],
    ],
  ),
  batch(['é "1"'], [[5, 6]], [[30, 31, 32]]),
];
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

describe.each(['tensorflow', 'cpu'])('TeacherOutputsFile on the %s backend', (backend) => {
  beforeAll(async () => {
    if (backend === 'tensorflow') await loadTensorFlow({ backend, quiet: true });
    expect(await tf.setBackend(backend)).toBe(true);
  });

  it('gives back rows of any samples in any order', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    const outputs = TeacherOutputsFile.open(file, identity);
    expect(outputs.ids).toEqual(['c', '__proto__', 'é "1"']);
    const { logits, features } = outputs.rows(['é "1"', 'c', 'é "1"']);
    expect([logits.shape, logits.dtype]).toEqual([[3, 2], 'float32']);
    expect(values(logits)).toEqual([5, 6, 1, 2, 5, 6]);
    expectTensorClose(
      features,
      tf.tensor2d([
        [30, 31, 32],
        [10, 11, 12],
        [30, 31, 32],
      ]),
      { atol: 0 },
    );
    expect(values(outputs.rows(['__proto__']).features)).toEqual([20, 21, 22]);
    expect(outputs.rows([]).logits.shape).toEqual([0, 2]);
    outputs.close();
    // What was given stays.
    expect(values(features)[0]).toBe(30);
  });

  it('holds every bit, and many batches of random sizes', async () => {
    const file = newFile();
    const all = tf.randomNormal<tf.Rank.R2>([97, 33], 0, 1, 'float32', 5);
    function* batches() {
      for (let at = 0, size = 1; at < 97; at += size, size = Math.min(97 - at, (size * 7) % 11)) {
        const outputs = {
          logits: tf.slice2d(all, [at, 0], [size, 4]),
          features: tf.slice2d(all, [at, 4], [size, 29]),
        };
        yield { ids: Array.from({ length: size }, (_, i) => `s${at + i}`), outputs };
        tf.dispose(outputs);
      }
    }
    await writeTeacherOutputs(file, identity, batches());
    const outputs = TeacherOutputsFile.open(file, identity);
    const order = Array.from({ length: 97 }, (_, i) => (i * 40) % 97);
    const rows = outputs.rows(order.map((i) => `s${i}`));
    expectTensorClose(
      tf.concat([rows.logits, rows.features], 1),
      tf.gather(all, tf.tensor1d(order, 'int32')),
      {
        atol: 0,
      },
    );
    outputs.close();
  });

  it('leaves no tensors behind', async () => {
    const file = newFile();
    const batches = three();
    const before = tf.memory().numTensors;
    await writeTeacherOutputs(file, identity, batches);
    expect(tf.memory().numTensors).toBe(before);
    expect(batches[0]!.outputs.logits.isDisposed).toBe(false);
    const outputs = TeacherOutputsFile.open(file, identity);
    expectNoLeak(() => ({ ...outputs.rows(['c', '__proto__']) }));
    outputs.close();
  });
});

describe('TeacherOutputsFile', () => {
  it('names the sample that is not there, and says when it is closed', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    const outputs = TeacherOutputsFile.open(file, identity);
    expect(() => outputs.rows(['c', 'd'])).toThrow(
      /audio\.safetensors has no outputs of sample "d"; it holds 3 samples, "c" the first/,
    );
    outputs.close();
    outputs.close();
    expect(() => outputs.rows(['c'])).toThrow(/audio\.safetensors was closed/);
  });

  it('refuses outputs of another teacher or another augmentation, and says what to do', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    expect(() => TeacherOutputsFile.open(file, { ...identity, teacherHash: 'def' })).toThrow(
      /audio\.safetensors: the stored outputs are of a teacher with hash abc, but asked for is def\. Delete the file/,
    );
    for (const augmentationSeed of [null, 8, '7']) {
      let thrown: unknown;
      try {
        TeacherOutputsFile.open(file, { ...identity, augmentationSeed });
      } catch (error) {
        thrown = error;
      }
      expect(G2DError.isInstance(thrown)).toBe(true);
      expect(thrown).toMatchObject({
        code: 'G2D_STALE_TEACHER_OUTPUTS',
        message: expect.stringContaining(
          `of augmentation seed 7, but asked for is ${JSON.stringify(augmentationSeed)}`,
        ),
        details: { file, stored: identity },
      });
    }
  });

  it('refuses outputs of other data, where both sides say of which they are', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, { ...identity, data: 'd1' }, three());
    TeacherOutputsFile.open(file, { ...identity, data: 'd1' }).close();
    TeacherOutputsFile.open(file, identity).close();
    expect(() => TeacherOutputsFile.open(file, { ...identity, data: 'd2' })).toThrow(
      /the stored outputs are of the data d1, but asked for are those of d2\. Delete the file/,
    );
    await writeTeacherOutputs(file, identity, three());
    TeacherOutputsFile.open(file, { ...identity, data: 'd2' }).close();
    expect(() => TeacherOutputsFile.open(file, { ...identity, data: 3 as never })).toThrow(/`data` is 3/);
  });

  it('refuses an identity that cannot be compared', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    expect(() => TeacherOutputsFile.open(file, { ...identity, teacherHash: '' })).toThrow(
      /`teacherHash` is ""/,
    );
    expect(() => TeacherOutputsFile.open(file, { ...identity, augmentationSeed: 0.5 })).toThrow(
      /`augmentationSeed` is 0.5; it must be an integer/,
    );
    const missing = { teacherHash: 'abc' } as never;
    await expect(writeTeacherOutputs(file, missing, three())).rejects.toThrow(
      /`augmentationSeed` is undefined/,
    );
  });

  it('keeps to the file that it opened when another takes its place', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    const old = TeacherOutputsFile.open(file, identity);
    await writeTeacherOutputs(file, identity, [batch(['c'], [[9, 9]], [[9, 9, 9]])]);
    expect(values(old.rows(['c']).logits)).toEqual([1, 2]);
    const renewed = TeacherOutputsFile.open(file, identity);
    expect(values(renewed.rows(['c']).logits)).toEqual([9, 9]);
    old.close();
    renewed.close();
  });

  it('says that a file became shorter', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    const outputs = TeacherOutputsFile.open(file, identity);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 4));
    expect(values(outputs.rows(['c']).features)).toEqual([10, 11, 12]);
    expect(() => outputs.rows(['é "1"'])).toThrow(/audio\.safetensors: truncated/);
    outputs.close();
  });
});

describe('writeTeacherOutputs', () => {
  it('writes a safetensors file: two tensors, and texts in the metadata', async () => {
    const file = newFile();
    await writeTeacherOutputs(file, identity, three());
    const bytes = readFileSync(file);
    expect(decodeSafetensors(bytes, file)).toEqual({
      logits: { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
      features: { shape: [3, 3], values: Float32Array.of(10, 11, 12, 20, 21, 22, 30, 31, 32) },
    });
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString()).__metadata__).toEqual({
      format: 'g2d-teacher-outputs/1',
      teacherHash: 'abc',
      augmentationSeed: '7',
      ids: '["c","__proto__","é \\"1\\""]',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('takes one batch after another and tells how many samples there are', async () => {
    const events: string[] = [];
    async function* batches() {
      for (const next of three()) {
        events.push(next.ids.join());
        yield next;
      }
    }
    const onProgress = (samples: number) => void events.push(`${samples}`);
    const file = join(newFile(), '..', 'new', 'folder', 'x.safetensors');
    await writeTeacherOutputs(file, { ...identity, onProgress }, batches());
    expect(events).toEqual(['c,__proto__', '2', 'é "1"', '3']);
    expect(beside(file)).toEqual(['x.safetensors']);
  });

  it.each([
    ['a sample twice', () => [...three(), batch(['c'], [[0, 0]], [[0, 0, 0]])], /^Sample "c" comes twice\./],
    [
      'NaN',
      () => [
        batch(
          ['a', 'b'],
          [
            [0, 0],
            [0, NaN],
          ],
          [
            [0, 0, 0],
            [0, 0, 0],
          ],
        ),
      ],
      /^Sample "b" has NaN among its logits\./,
    ],
    ['infinity', () => [batch(['a'], [[0, 0]], [[0, -Infinity, 0]])], /"a" has -Infinity among its features/],
    [
      'other widths',
      () => [...three(), batch(['x'], [[0, 0]], [[0, 0]])],
      /`outputs.features` has shape \[1, 2\]; expected \[1, 3\], a row for each id from "x" on, as wide as those before/,
    ],
    [
      'too few rows',
      () => [batch(['a', 'b'], [[0, 0]], [[0]])],
      /`outputs.logits` has shape \[1, 2\]; expected \[2, any\]/,
    ],
    [
      'no columns',
      () => [batch(['a'], [[0]], [[]])],
      /`outputs.features` has shape \[1, 0\]; expected \[1, any\]/,
    ],
    [
      'ids that are no texts',
      () => [{ ...three()[1]!, ids: [3] as never }],
      /Sample 3 has an id that is no text/,
    ],
    ['no sample', () => [], /`batches` has no samples/],
  ])('refuses %s, and leaves the old file', async (_, batches, message) => {
    const file = newFile();
    writeFileSync(file, 'old');
    await expect(writeTeacherOutputs(file, identity, batches())).rejects.toThrow(message);
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(beside(file)).toEqual(['audio.safetensors']);
  });

  it('ends with the error of the batches, which are closed, and leaves nothing', async () => {
    const file = newFile();
    async function* failing() {
      yield* three();
      throw new Error('no more memory');
    }
    await expect(writeTeacherOutputs(file, identity, failing())).rejects.toThrow('no more memory');
    let closed = false;
    function* twice() {
      try {
        yield* [...three(), ...three()];
      } finally {
        closed = true;
      }
    }
    await expect(writeTeacherOutputs(file, identity, twice())).rejects.toThrow(/comes twice/);
    expect(closed).toBe(true);
    expect(beside(file)).toEqual([]);
    await expect(writeTeacherOutputs(join(file, '..'), identity, three())).rejects.toThrow(/is a folder/);
  });

  it('removes what was abandoned here or a day ago, and nothing else', async () => {
    const file = newFile();
    const folder = (name: string, hours: number): string => {
      const path = join(file, '..', name);
      mkdirSync(path);
      const part = join(path, 'logits');
      writeFileSync(part, 'x');
      const time = Date.now() / 1000 - 3600 * hours;
      for (const each of [part, path]) utimesSync(each, time, time);
      return name;
    };
    // No process has this number: Linux and macOS go up to 2²² and 99,999.
    folder(`.audio.safetensors.writing-${hostname()}-99999999-abcdef`, 0);
    folder('.audio.safetensors.writing-elsewhere-1-abcdef', 25);
    const kept = [
      folder(`.audio.safetensors.writing-${hostname()}-${process.pid}-abcdef`, 0),
      folder('.audio.safetensors.writing-elsewhere-99999999-abcdef', 23),
      folder('.video.safetensors.writing-elsewhere-1-abcdef', 25),
    ];
    await writeTeacherOutputs(file, identity, three());
    expect(beside(file).sort()).toEqual([...kept, 'audio.safetensors'].sort());
  });

  const child = (file: string, batches: number) =>
    spawn(
      process.execPath,
      [
        '--conditions=@g2d/source',
        '--import',
        'tsx',
        join(import.meta.dirname, '../../test/write-outputs.ts'),
        file,
        `${batches}`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );

  it('leaves nothing under the name when it is killed, and the next one tidies up', async () => {
    const file = newFile();
    const killed = child(file, 0);
    await once(killed.stdout, 'data');
    expect(existsSync(file)).toBe(false);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(beside(file)).toHaveLength(1);
    await writeTeacherOutputs(file, identity, three());
    expect(beside(file)).toEqual(['audio.safetensors']);
  });

  it('may run in two processes at once on the same file', async () => {
    const file = newFile();
    const codes = await Promise.all(
      [100, 130].map(async (batches) => (await once(child(file, batches), 'exit'))[0]),
    );
    expect(codes).toEqual([0, 0]);
    expect(beside(file)).toEqual(['audio.safetensors']);
    const outputs = TeacherOutputsFile.open(file, { teacherHash: 'h', augmentationSeed: null });
    expect([100, 130]).toContain(outputs.ids.length);
    expect(values(outputs.rows(['s99', 's0', 's42']).logits)).toEqual([99, 99, 0, 0, 42, 42]);
    outputs.close();
  });
});
