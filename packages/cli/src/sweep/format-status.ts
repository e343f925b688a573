import { readIfThere } from '@g2d/formats/node';
import type { RunState, RunStatus } from '@g2d/runs';
import { logOf } from '@g2d/runs/internal';

const STATES: readonly RunState[] = [
  'finished',
  'running',
  'queued',
  'stopped',
  'waiting',
  'blocked',
  'failed',
];

/** How many last lines of a failed run's log are shown. */
const TAIL = 3;

/** A line for each run, the ends of the logs of those that failed, and how many are what. */
export function formatStatus(status: readonly RunStatus[], out: string): string {
  const width = status.reduce((most, { id }) => Math.max(most, id.length), 0);
  const lines = status.map(({ id, state, why, epoch, epochs, processes, job }) => {
    const done = `${epoch ?? 0}/${epochs}`;
    const words = [
      ...(processes === undefined ? [] : [`${processes} processes`]),
      ...(why !== undefined ? [why] : job !== undefined ? [`job ${job}`] : []),
    ];
    return [state.padEnd(9), id.padEnd(width), done.padStart(9), words.join(', ')].join('  ').trimEnd();
  });
  const logs = status.flatMap(({ id, state, log }) =>
    state === 'failed' ? [...(log === undefined ? [] : tail(log)), ...tail(logOf(out, id))] : [],
  );
  const counts = STATES.flatMap((state) => {
    const count = status.filter((run) => run.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  return `${[...lines, ...logs, counts.join(', ')].join('\n')}\n`;
}

/** Only runs with a process of their own have a log. One that cannot be read keeps nothing from being shown. */
function tail(path: string): string[] {
  let text: string | undefined;
  try {
    text = readIfThere(path)?.toString('utf8');
  } catch (error) {
    return [(error as Error).message];
  }
  if (text === undefined || text.trim() === '') return [];
  return [`--- ${path}`, ...text.trim().split('\n').slice(-TAIL)];
}
