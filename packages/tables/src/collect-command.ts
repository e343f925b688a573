import { OptionError, printable } from '@g2d/core';
import { defineCommand } from '@g2d/cli';
import { required } from '@g2d/cli/internal';
import { parseSeeds } from './parse-seeds.js';
import { parseScale, SCALES } from './plan/places.js';
import { planTable } from './plan/plan-table.js';
import { knownResults } from './results/known-results.js';
import { readResults, writeResults } from './results/results-file.js';

/** `g2d tables collect`. */
export const collectCommand = defineCommand({
  usage: '--out FILE [options]',
  description:
    'Writes what every finished run of a scale came to into one small file: scores, which test answers were right, settings, versions, machine; no weights. g2d table --results FILE takes runs from it that are not here, so that tables can be trained on several machines and in several sittings, and results can be sent back.',
  options: {
    scale: { value: 'NAME', default: 'small', help: `${SCALES.join(', ')} (default: small)` },
    protocol: { value: 'NAME', help: 'as of g2d table' },
    seeds: { value: 'LIST', help: 'as of g2d table' },
    results: {
      value: 'FILE',
      multiple: true,
      help: 'earlier files, whose other runs are taken along; may be given several times',
    },
    out: { value: 'FILE', help: 'the file; the same runs give the same bytes' },
  },
  details: 'Example: g2d tables collect --scale small --out results/small.json',
  async run({ values, positionals: [more] }, { out, err }) {
    if (more !== undefined) {
      throw new OptionError(`"${more}" is one argument too many.`, {
        option: 'arguments',
        value: more,
        accepted: 'none',
      });
    }
    const path = required('--out', values.out, 'a file for the results');
    const scale = parseScale(values.scale);
    const earlier = values.results.flatMap((file) => readResults(file, scale));
    const plan = await planTable(undefined, {
      scale,
      protocol: values.protocol,
      seeds: parseSeeds(values.seeds),
    });
    const { results, refused } = knownResults(plan, []);
    for (const line of refused) err(`${printable(line, { line: true })}\n`);
    const all = new Map([...earlier, ...results.values()].map((result) => [result.key, result]));
    if (all.size === 0) {
      throw new OptionError(`No run of the scale ${scale} is finished in ${plan.pool.out}.`, {
        option: 'scale',
        value: scale,
        accepted: 'a scale with finished runs',
      });
    }
    writeResults(path, scale, [...all.values()]);
    out(`${all.size} runs in ${path}\n`);
    return refused.length > 0 ? 1 : 0;
  },
});
