// Trains runs one after another, in as many processes as it is started in: `program PLAN FOLDER`. What the runs come to is said as JSON, a line each.
import { readFileSync } from 'node:fs';
import { loadTensorFlow } from '@g2d/native';
import { joinProcesses, launched, parseConfig, trainRun } from '../../src/index.js';
import type { KillPlan } from '../kill/plan.js';

const [plan, folder] = process.argv.slice(2) as [string, string];
const { runs } = JSON.parse(readFileSync(plan, 'utf8')) as KillPlan;
const launch = launched();
const processes = launch && (await joinProcesses(launch, { out: folder, note: () => {} }));
if (!processes) await loadTensorFlow({ quiet: true, backend: 'tensorflow' });
for (const { id, out, config } of runs) {
  let problem: string | null = null;
  try {
    await trainRun(parseConfig(config), { out, processes });
  } catch (error) {
    problem = (error as Error).message;
    if ((error as { code?: unknown }).code === 'G2D_PEER_LOST') throw error;
  }
  process.stdout.write(`${JSON.stringify({ id, problem })}\n`);
}
processes?.leave();
processes?.close();
