import { setImmediate } from 'node:timers/promises';
import { OptionError } from '@g2d/core';
import { createProgress } from '@g2d/runs';
import type { Check } from './compare.js';
import { EncoderPool } from './encoder-pool.js';
import { findCases } from './find-cases.js';
import { acceptable, worstOf } from './judge.js';
import { idOf, loadCase, runCase, type CaseReport } from './run-case.js';
import { defineCommand } from '@g2d/cli';
import { formatParity, worstOfColumns, type Detail } from './format-parity.js';

const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;

/** `g2d parity`. */
export const parity = defineCommand({
  usage: '[options] <folder>…',
  description: `Runs parity cases: tiny trainings whose weights, inputs and noise come from a hash, and for which case.json and expected.json hold what the PyTorch implementation computes. Every loss, logit, gradient and weight is compared with it, next to how far PyTorch's own float32 is from its float64.

<folder> is the folder of a case, or a folder of such folders.

A case passes if nothing is farther off than allowed. It is inconclusive if only gradients, or what is computed from them, are: a ReLU input that rounding moves across zero does that once in a while. Anything else fails.`,
  options: {
    verbose: {
      help: 'every quantity next to its tolerance; of a table the worst tensor in each column',
    },
    all: { help: 'every tensor of every table too' },
    json: {
      help: 'one JSON object: {"cases": [{"name", "status", "worst": {"key", "deviation", "tolerance"}, "seconds"}]}; with --verbose or --all each case has a list "quantities" of the form of "worst"',
    },
    backend: {
      value: 'NAME',
      help: `${BACKENDS.join(', ')} (default: the fastest one that is present)`,
    },
  },
  details: `Exit code: 0; 1 if a case fails, or if more than a tenth of them (and at least two) are inconclusive; 2 for an error,
such as a key or a version of the format that is unknown.

Example: g2d parity test/parity/cases`,
  async run({ values, positionals }, { out }) {
    if (positionals.length === 0) {
      throw new OptionError(
        'No folder is given. Name the folder of a parity case, or a folder of such folders.',
        {
          option: 'folder',
          value: undefined,
          accepted: 'one folder or more',
        },
      );
    }
    const backend = backendOf(values.backend);
    // All files before the first computation: a mistake in the last one is found at once.
    const cases = positionals.flatMap(findCases).map(loadCase);
    const { loadTensorFlow } = await import('@g2d/native');
    await loadTensorFlow({ ...(backend && { backend }) });

    const pool = new EncoderPool();
    const progress = createProgress(cases.length);
    const reports: CaseReport[] = [];
    try {
      for (const loaded of cases) {
        progress.stage(idOf(loaded));
        // The bar is drawn before a computation that does not let anything else run.
        await setImmediate();
        reports.push(await runCase(loaded, pool));
        progress.advance(1);
      }
    } finally {
      progress.stop();
      pool.dispose();
    }
    const detail: Detail = values.all ? 'all' : values.verbose ? 'quantities' : 'cases';
    const json = () => JSON.stringify({ cases: reports.map((report) => toJson(report, detail)) });
    out(values.json ? `${json()}\n` : formatParity(reports, detail));
    return acceptable(reports.map(({ status }) => status)) ? 0 : 1;
  },
});

function backendOf(name: string | undefined): (typeof BACKENDS)[number] | undefined {
  if (name === undefined) return undefined;
  const backend = BACKENDS.find((known) => known === name);
  if (backend) return backend;
  const accepted = BACKENDS.join(', ');
  throw new OptionError(`--backend is "${name}"; it can be ${accepted}.`, {
    option: 'backend',
    value: name,
    accepted,
  });
}

function toJson({ name, status, checks, seconds }: CaseReport, detail: Detail): object {
  const shown = detail === 'all' ? checks : worstOfColumns(checks);
  return {
    name,
    status,
    worst: checkJson(worstOf(checks)),
    seconds: Math.round(seconds * 1000) / 1000,
    ...(detail !== 'cases' && { quantities: shown.map(checkJson) }),
  };
}

const checkJson = ({ key, deviation, tolerance }: Check): object => ({
  key,
  // JSON has no infinity, and its `null` would compare as 0.
  deviation: Number.isFinite(deviation) ? deviation : Number.MAX_VALUE,
  tolerance,
});
