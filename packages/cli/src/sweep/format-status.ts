import { readIfThere } from '@g2d/formats/node';
import type { RunState, RunStatus } from '@g2d/runs';
import { logOf } from '@g2d/runs/internal';

const STATES: readonly RunState[] = ['finished', 'running', 'stopped', 'waiting', 'blocked', 'failed'];

/** How many last lines of a failed run's log are shown. */
const TAIL = 3;

/** A line for each run, the ends of the logs of those that failed, and how many are what. */
export function formatStatus(status: readonly RunStatus[], out: string): string {
  const width = Math.max(...status.map(({ id }) => id.length));
  const lines = status.map(({ id, state, why, epoch, epochs }) => {
    const done = `${epoch ?? 0}/${epochs}`;
    return [state.padEnd(9), id.padEnd(width), done.padStart(9), why ?? ''].join('  ').trimEnd();
  });
  const logs = status.flatMap(({ id, state }) => (state === 'failed' ? tail(logOf(out, id)) : []));
  const counts = STATES.flatMap((state) => {
    const count = status.filter((run) => run.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  return `${[...lines, ...logs, counts.join(', ')].join('\n')}\n`;
}

/** Only runs with a process of their own have a log. */
function tail(path: string): string[] {
  const text = readIfThere(path)?.toString('utf8');
  if (text === undefined) return [];
  return [`--- ${path}`, ...text.trim().split('\n').slice(-TAIL)];
}
