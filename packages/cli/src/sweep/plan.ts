import { planPool } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { changedSweep, changeOptions } from './changed-sweep.js';
import { onlyWord } from './place.js';

/** `g2d sweep plan`. */
export const sweepPlanCommand = defineCommand({
  usage: 'FILE [options]',
  description:
    'Prints the runs of a sweep in the order in which they are trained, and what each of them needs, and writes nothing. Every configuration is checked.',
  options: {
    ...changeOptions,
    json: { help: 'with the whole configuration of each run, as JSON' },
  },
  details: 'Example: g2d sweep plan examples/av-mnist-small/sweep.json',
  async run({ values, positionals }, { out }) {
    const path = onlyWord('FILE', positionals, 'a JSON file, see g2d sweep --help');
    const plan = await planPool([changedSweep(path, values)]);
    if (values.json) {
      const { name, out: folder, runs } = plan;
      out(`${JSON.stringify({ name, out: folder, runs })}\n`);
      return 0;
    }
    for (const { id, needs } of plan.runs) out(`${id}${needs.length > 0 ? ` ← ${needs.join(', ')}` : ''}\n`);
    const { processes = 1 } = plan.queues ?? {};
    const each = processes > 1 ? `, each on ${processes} processes` : '';
    out(`${plan.runs.length} runs in ${plan.out}${each}\n`);
    return 0;
  },
});
