// Files that are not what they say.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { G2DError } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TeacherOutputsFile } from './teacher-outputs-file.js';
import { writeTeacherOutputs } from './write-teacher-outputs.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-damaged-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'audio.safetensors');
const identity = { teacherHash: 'abc', augmentationSeed: null };
let valid: Buffer;
beforeAll(async () => {
  await tf.setBackend('cpu');
  const outputs = { logits: tf.ones<tf.Rank.R2>([3, 2]), features: tf.ones<tf.Rank.R2>([3, 4]) };
  await writeTeacherOutputs(file, identity, [{ ids: ['a', 'b', 'c'], outputs }]);
  valid = readFileSync(file);
});

/** What opening `bytes` and reading all of its rows throws, `undefined` if nothing. Files are closed in any case. */
function problem(bytes: Uint8Array): unknown {
  writeFileSync(file, bytes);
  let outputs: TeacherOutputsFile | undefined;
  try {
    outputs = TeacherOutputsFile.open(file, identity);
    tf.dispose({ ...outputs.rows(outputs.ids) });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    outputs?.close();
  }
}

interface Header {
  __metadata__: Record<string, string>;
  [tensor: string]: unknown;
}

/** The valid file with another header, and data of any length. */
function withHeader(change: (header: Header) => unknown, data = 4 * 3 * (2 + 4)): Buffer {
  const length = Number(valid.readBigUInt64LE(0));
  const header = JSON.parse(valid.subarray(8, 8 + length).toString()) as Header;
  const changed = change(header);
  const text = Buffer.from(typeof changed === 'string' ? changed : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, Buffer.alloc(data)]);
}
const metadata = (changes: Record<string, unknown>) => (header: Header) =>
  void Object.assign(header.__metadata__, changes);
const logits = (changes: Record<string, unknown>) => (header: Header) =>
  void Object.assign(header['logits'] as object, changes);

describe('TeacherOutputsFile.open', () => {
  it('says of a truncated file that it is one, wherever it ends', () => {
    for (let length = 0; length < valid.length; length++) {
      const error = problem(valid.subarray(0, length));
      expect(error, `${length} bytes`).toMatchObject({ name: 'FileFormatError', code: 'G2D_FILE_FORMAT' });
      expect((error as Error).message).toMatch(/^\S+audio\.safetensors: .*truncated/);
    }
    expect(problem(valid)).toBeUndefined();
  });

  it('ends with rows or with an error of ours for 2000 files with random damage, and closes them', () => {
    const random = randomStream(11);
    const below = (n: number): number => Math.floor(random.uniform() * n);
    const first = openSync(devNull, 'r');
    closeSync(first);
    const tensors = tf.memory().numTensors;
    const seen = new Map<string, number>();
    const headerEnd = valid.length - 72;
    for (let i = 0; i < 2000; i++) {
      let bytes = Buffer.from(valid);
      for (let n = 1 + below(3); n > 0; n--) {
        // Mostly in the header.
        const at = below(random.uniform() < 0.9 ? headerEnd : bytes.length);
        const kind = below(6);
        if (kind === 0) bytes[at] = below(256);
        else if (kind === 1) bytes[at]! ^= 1 << below(8);
        else if (kind === 2)
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
        else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))]);
        else if (kind === 4) bytes.fill('0123456789[]{}",-e.'[below(19)]!, at, at + 1 + below(4));
        else bytes[below(8)] = below(256);
      }
      const error = problem(bytes);
      const code = error === undefined ? 'read' : G2DError.isInstance(error) ? error.code : String(error);
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['G2D_FILE_FORMAT', 'G2D_STALE_TEACHER_OUTPUTS', 'read']);
    expect(seen.get('G2D_FILE_FORMAT')).toBeGreaterThan(1000);
    expect(tf.memory().numTensors).toBe(tensors);
    // The lowest free descriptor is the one of before.
    const last = openSync(devNull, 'r');
    closeSync(last);
    expect(last).toBe(first);
  });

  it.each<[string, (header: Header) => unknown, RegExp]>([
    ['text that is no JSON', () => 'garbage', /"format" in the metadata is undefined/],
    ['a header that is no object', () => 'null', /holds no teacher outputs/],
    [
      'another safetensors file',
      (header) => delete (header as Partial<Header>).__metadata__,
      /holds no teacher outputs/,
    ],
    [
      'another version',
      metadata({ format: 'g2d-teacher-outputs/2' }),
      /is "g2d-teacher-outputs\/2", expected "g2d-t/,
    ],
    [
      'ids that are no list',
      metadata({ ids: '{"0":"a"}' }),
      /"ids" in the metadata is no list of sample ids/,
    ],
    ['ids that are no texts', metadata({ ids: '["a","b",3]' }), /"ids" in the metadata/],
    ['an id twice', metadata({ ids: '["a","b","a"]' }), /"ids" in the metadata/],
    ['no ids', metadata({ ids: '[]' }), /"ids" in the metadata/],
    [
      'fewer ids than rows',
      metadata({ ids: '["a","b"]' }),
      /"logits" is no float32 tensor with a row for each of 2 ids/,
    ],
    ['no hash', metadata({ teacherHash: 3 }), /do not name a teacher hash/],
    ['a seed with a fraction', metadata({ augmentationSeed: '0.5' }), /do not name a teacher hash/],
    ['a checksum that is none', metadata({ sha256: 3 }), /"data" and "sha256" in the metadata must be texts/],
    [
      'rows of another file',
      () => undefined,
      /the outputs are not those that were stored: they have the checksum 834a/,
    ],
    ['another type', logits({ dtype: 'F64' }), /"logits" is no float32 tensor/],
    ['another rank', logits({ shape: [3, 2, 1] }), /"logits" is no float32 tensor/],
    ['no columns', logits({ shape: [3, 0], data_offsets: [0, 0] }), /"logits" is no float32 tensor/],
    ['a size beyond 2^53', logits({ shape: [3, 2 ** 60] }), /"logits" is no float32 tensor/],
    [
      'more rows than bytes',
      logits({ shape: [3, 2 ** 40], data_offsets: [0, 12 * 2 ** 40] }),
      /truncated or damaged/,
    ],
    [
      'tensors that overlap',
      logits({ data_offsets: [4, 28] }),
      /where the header says \[4, 28\] and \[24, 72\]/,
    ],
    ['no tensor', (header) => delete header['features'], /"features" is no float32 tensor/],
  ])('refuses %s', (_, change, message) => {
    const error = problem(withHeader(change));
    expect(error).toMatchObject({ code: 'G2D_FILE_FORMAT' });
    expect((error as Error).message).toMatch(message);
  });

  it('refuses rows of which one bit has changed, wherever', () => {
    for (let at = valid.length - 72; at < valid.length; at++) {
      const bytes = Buffer.from(valid);
      bytes[at]! ^= 1 << (at % 8);
      expect(problem(bytes), `byte ${at}`).toMatchObject({ message: /are not those that were stored/ });
    }
  });

  it('refuses data that belong to no tensor, and a folder', () => {
    // A file of an earlier version has no checksum.
    expect(problem(withHeader(metadata({ sha256: undefined })))).toBeUndefined();
    expect(problem(withHeader(() => undefined, 76))).toMatchObject({ message: /has 76 bytes of data/ });
    mkdirSync(join(folder, 'x'));
    expect(() => TeacherOutputsFile.open(join(folder, 'x'), identity)).toThrow(/not a safetensors file/);
  });

  it('believes no length of a header beyond the file', () => {
    const bytes = Buffer.from(valid);
    for (const length of [2n ** 64n - 1n, 2n ** 40n, BigInt(valid.length)]) {
      bytes.writeBigUInt64LE(length);
      expect(problem(bytes)).toMatchObject({ message: /not a safetensors file, or truncated/ });
    }
  });

  it('reads what Python’s safetensors 0.8.0 wrote, with the tensors in the other order', () => {
    // save_file({'logits': [[1, 2], [3, 4]], 'features': [[5, 6, 7], [8, 9, 10]]}, …, metadata={'format': …, 'ids': json.dumps(['a', 'b'])})
    const written =
      '+AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJnMmQtdGVhY2hlci1vdXRwdXRzLzEiLCJ0ZWFjaGVySGFzaCI6ImFiYyIsImF1Z21lbnRhdGlvblNlZWQiOiJudWxsIiwiaWRzIjoiW1wiYVwiLCBcImJcIl0ifSwiZmVhdHVyZXMiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzAsMjRdfSwibG9naXRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDJdLCJkYXRhX29mZnNldHMiOlsyNCw0MF19fSAgIAAAoEAAAMBAAADgQAAAAEEAABBBAAAgQQAAgD8AAABAAABAQAAAgEA=';
    writeFileSync(file, Buffer.from(written, 'base64'));
    const outputs = TeacherOutputsFile.open(file, identity);
    const { logits, features } = outputs.rows(['b', 'a']);
    expect([...logits.dataSync()]).toEqual([3, 4, 1, 2]);
    expect([...features.dataSync()]).toEqual([8, 9, 10, 5, 6, 7]);
    outputs.close();
  });
});
