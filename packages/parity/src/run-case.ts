import type { ParityCase } from './case.js';
import { compare, type Check, type Results } from './compare.js';
import type { EncoderPool } from './encoder-pool.js';
import type { CaseFiles } from './find-cases.js';
import { judge, type Status } from './judge.js';
import { METHOD_CASE } from './methods/method-case.js';
import { MISSING_CASE } from './missing/missing-case.js';
import { loadMissingCase, runMissingCase, type LoadedMissingCase } from './missing/run-system.js';
import { loadMethodCase, runMethodCase, type LoadedMethodCase } from './methods/run-method.js';
import { PARITY_CASE, readCase } from './read-case.js';
import { readExpected, type Expected } from './read-expected.js';
import { runEncoder } from './run-encoder.js';
import { runLosses } from './run-losses.js';
import { runTrain } from './run-train.js';
import { readJson, text } from './strict-json.js';
import { z } from 'zod';

/** A case of the paper's own code and what is expected of it. */
export interface LoadedParityCase {
  readonly parityCase: ParityCase;
  readonly expected: Expected;
}

/** A case and what is expected of it. */
export type LoadedCase = LoadedParityCase | LoadedMethodCase | LoadedMissingCase;

export function idOf(loaded: LoadedCase): string {
  if ('missingCase' in loaded) return loaded.missingCase.id;
  return 'methodCase' in loaded ? loaded.methodCase.id : loaded.parityCase.id;
}

/** How a case went. */
export interface CaseReport {
  /** The case's `id`. */
  readonly name: string;
  readonly status: Status;
  /** Every quantity, in the order of computation. */
  readonly checks: readonly Check[];
  /** Near ties that PyTorch counted in each step's forward pass. */
  readonly ties: readonly number[];
  readonly seconds: number;
}

/**
 * Reads both files of a case.
 *
 * @throws {FileFormatError} If something in them is unknown, missing or contradictory.
 */
export function loadCase(files: CaseFiles): LoadedCase {
  const { format } = readJson(
    files.case,
    [PARITY_CASE, METHOD_CASE, MISSING_CASE],
    z.looseObject({ format: text }),
  );
  if (format === MISSING_CASE) return loadMissingCase(files);
  if (format === METHOD_CASE) return loadMethodCase(files);
  const parityCase = readCase(files.case);
  return { parityCase, expected: readExpected(files.expected, parityCase) };
}

/**
 * Computes a case on the current backend and sets it next to what is expected. Leaves no tensor behind but those of the
 * pool.
 */
export async function runCase(loaded: LoadedCase, pool: EncoderPool): Promise<CaseReport> {
  const started = performance.now();
  const checks = await checksOf(loaded, pool);
  const seconds = (performance.now() - started) / 1000;
  const ties = 'parityCase' in loaded ? loaded.expected.ties : [];
  return { name: idOf(loaded), status: judge(checks), checks, ties, seconds };
}

async function checksOf(loaded: LoadedCase, pool: EncoderPool): Promise<Check[]> {
  if ('missingCase' in loaded) return runMissingCase(loaded);
  if ('methodCase' in loaded) return runMethodCase(loaded);
  return compare(loaded.expected.expectations, await compute(loaded.parityCase, pool));
}

async function compute(parityCase: ParityCase, pool: EncoderPool): Promise<Results> {
  switch (parityCase.kind) {
    case 'encoder':
      return runEncoder(parityCase, pool);
    case 'train':
      return runTrain(parityCase, pool);
    case 'losses':
      return runLosses(parityCase);
  }
}
