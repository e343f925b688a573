import type { AllReduce } from '@g2d/core';
import { gatherBytes } from './reduce.js';

/** What was predicted for a batch of a split. */
export interface PredictedPart {
  readonly ids: readonly string[];
  readonly labels: readonly number[];
  /** `logits[head][i]` of each sample. */
  readonly logits: Readonly<Record<string, readonly Float32Array[]>>;
  readonly masks: Readonly<Record<string, readonly number[]>>;
  /** Samples whose inputs are no numbers, and where. */
  readonly culprits: readonly (readonly [string, string])[];
}

/** The same without the logits' numbers. */
type Described = Omit<PredictedPart, 'logits'> & { readonly widths: Readonly<Record<string, number>> };

/**
 * The parts that all processes predicted, in the order of the split: of batches that they took turns with. Every bit comes as it was.
 *
 * @param own The batches `rank`, `rank + processes` and so on.
 */
export function gatherParts(all: AllReduce, own: readonly PredictedPart[]): PredictedPart[] {
  const found = gatherBytes(all, encode(own)).map(decode);
  const count = found.reduce((total, parts) => total + parts.length, 0);
  return Array.from(
    { length: count },
    (_, i) => (found[i % all.processes] as PredictedPart[])[Math.floor(i / all.processes)] as PredictedPart,
  );
}

/** The length of a description as JSON, the description, and from a multiple of four bytes on the logits. */
function encode(parts: readonly PredictedPart[]): Uint8Array {
  const described = parts.map(({ logits, ...part }): Described => {
    const widths = Object.entries(logits).map(([head, rows]) => [head, rows[0]?.length ?? 0]);
    return { ...part, widths: Object.fromEntries(widths) as Described['widths'] };
  });
  const words = new TextEncoder().encode(JSON.stringify(described));
  const rows = parts.flatMap(({ logits }) => Object.values(logits).flat());
  const start = numbersStart(words.length);
  const bytes = new Uint8Array(start + 4 * rows.reduce((total, row) => total + row.length, 0));
  new DataView(bytes.buffer).setUint32(0, words.length, true);
  bytes.set(words, 4);
  const numbers = new Float32Array(bytes.buffer, start);
  let at = 0;
  for (const row of rows) {
    numbers.set(row, at);
    at += row.length;
  }
  return bytes;
}

function decode(bytes: Uint8Array): PredictedPart[] {
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const described = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Described[];
  const numbers = new Float32Array(bytes.buffer, numbersStart(length));
  let at = 0;
  return described.map(({ widths, ...part }) => ({
    ...part,
    logits: Object.fromEntries(
      Object.entries(widths).map(([head, width]) => [
        head,
        part.ids.map(() => numbers.slice(at, (at += width))),
      ]),
    ),
  }));
}

const numbersStart = (words: number): number => 4 * Math.ceil((4 + words) / 4);
