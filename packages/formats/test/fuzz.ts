// Damaged files for decoders: each gives values, or an error that names file and reason, soon and in little memory.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { G2DError, type RandomStream } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { afterAll, describe, expect, it } from 'vitest';

/** Another seed makes other files, and more of them: G2D_FUZZ_SEED=2 G2D_FUZZ_FILES=10000 npx vitest run … */
const SEED = Number(process.env['G2D_FUZZ_SEED'] ?? 1);
const FILES = Number(process.env['G2D_FUZZ_FILES'] ?? 1000);
/** Of one decoder on one of these files, which have up to 10 kB. */
const MOST_SECONDS = 5;
const MOST_BYTES = 2 ** 27;

export const fixtures = fileURLToPath(new URL('../../../test/fixtures/io', import.meta.url));

export const load = (...names: readonly string[]): Buffer[] =>
  names.map((name) => readFileSync(join(fixtures, name)));

/** A few damages: single bytes, extreme numbers, cuts, pieces moved, and halves of two files. */
export function damaged(original: Buffer, other: Buffer, random: RandomStream): Buffer {
  let bytes = Buffer.from(original);
  for (let count = 1 + random.integer(6); count > 0; count--) {
    if (bytes.length === 0) break;
    // Most of what can go wrong stands at the start.
    const at = random.integer(random.uniform() < 0.5 ? Math.min(200, bytes.length) : bytes.length);
    switch (random.integer(8)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.integer(other.length + 1))]);
        break;
      case 2: {
        const piece = bytes.subarray(at, at + 1 + random.integer(40));
        bytes = Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at)]);
        break;
      }
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(20))]);
        break;
      case 4: {
        const extreme = Buffer.from(
          ['ffffffff', '7fffffff', '00000000', '00000080', 'ffffffffffffff7f', '0000000000000010'][
            random.integer(6)
          ] as string,
          'hex',
        );
        extreme.copy(bytes, at);
        break;
      }
      case 5:
        bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
        break;
      default:
        bytes[at] = random.integer(256);
    }
  }
  return bytes;
}

export interface Decoder {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** Of the file's name, where it says what the file is. */
  readonly ending?: string;
  /** Makes a damaged file; default: `damaged`. */
  damage?(original: Buffer, other: Buffer, random: RandomStream): Buffer | Promise<Buffer>;
  decode(path: string): unknown;
}

/** `values`, `error` for an error as it should be, or what is wrong with it. */
async function outcomeOf(decode: () => unknown, path: string): Promise<string> {
  try {
    await decode();
    return 'values';
  } catch (error) {
    if (!G2DError.isInstance(error)) return `not an error of ours: ${(error as Error).stack}`;
    const { code, message } = error;
    const good =
      (code === 'G2D_FILE_FORMAT' || code === 'G2D_OPTION') &&
      message.startsWith(path) &&
      message.length > path.length + 10 &&
      message.length < 1500;
    return good ? 'error' : `${code}: ${message}`;
  }
}

/** One test for each decoder. */
export function describeDecoders(decoders: readonly Decoder[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-fuzz-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('a decoder', () => {
    it.each(decoders)(
      `$name gives values or an error that names file and reason, on ${FILES} damaged files`,
      async ({ name, seeds, ending = '', damage = damaged, decode }) => {
        const random = randomStream(SEED);
        let values = 0;
        let errors = 0;
        for (let i = 0; i < FILES; i++) {
          const [seed, other] = [0, 1].map(() => seeds[random.integer(seeds.length)] as Buffer) as [
            Buffer,
            Buffer,
          ];
          const path = join(folder, `${name.replaceAll(/\W/g, '')}-${i}${ending}`);
          writeFileSync(path, await damage(seed, other, random));
          const memory = process.memoryUsage();
          const start = performance.now();
          const outcome = await outcomeOf(() => decode(path), path);
          // Files come back with the seed: the number is enough to make this one again.
          expect(['values', 'error'], `file ${i} of seed ${SEED}`).toContain(outcome);
          if (outcome === 'values') values++;
          else errors++;
          expect(performance.now() - start).toBeLessThan(1000 * MOST_SECONDS);
          const { arrayBuffers, heapUsed } = process.memoryUsage();
          expect(arrayBuffers - memory.arrayBuffers + heapUsed - memory.heapUsed).toBeLessThan(MOST_BYTES);
          rmSync(path);
        }
        // Both happen, or the damage is too small or too large to test anything.
        expect(values).toBeGreaterThan(FILES / 100);
        expect(errors).toBeGreaterThan(FILES / 10);
        expect(existsSync('PICKLE_WAS_EXECUTED.txt')).toBe(false);
      },
      120 * FILES,
    );
  });
}
