import { printable } from '@g2d/core';
import cliProgress from 'cli-progress';

/** Progress of a long piece of work in steps, on standard error. */
export interface Progress {
  /** Names what is being done from now on. */
  stage(name: string): void;
  /** `steps` more are done. */
  advance(steps: number): void;
  /** Prints a line without disturbing the bar. */
  note(line: string): void;
  /** Takes the bar away. */
  stop(): void;
}

/**
 * A bar with the time left on a terminal; elsewhere a line when a stage begins, with the time left too.
 *
 * @param total All steps.
 * @param stream Default: standard error, so that standard output holds results only.
 */
export function createProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  surviveClosed(stream);
  if (!stream.isTTY) {
    let done = 0;
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    // What was done before the first stage, by an earlier call, tells nothing of how fast this one is.
    let first: { readonly done: number; readonly seconds: number } | undefined;
    const left = (): number | undefined =>
      first && done > first.done
        ? Math.round(((seconds() - first.seconds) * (total - done)) / (done - first.done))
        : undefined;
    return {
      stage: (name) => {
        first ??= { done, seconds: seconds() };
        const percent = String(Math.round((100 * done) / total)).padStart(3);
        stream.write(
          `[${percent} %, ${Math.round(seconds())} s${timeLeft(left())}] ${printable(name, { line: true })}\n`,
        );
      },
      advance: (steps) => {
        done += steps;
      },
      note: (line) => void stream.write(`${printable(line)}\n`),
      stop: () => {},
    };
  }
  const bars = new cliProgress.MultiBar(
    {
      format: '{bar} {percentage} % | {stage} | {eta_formatted} left',
      barsize: 24,
      etaBuffer: 60,
      hideCursor: false,
      stream,
    },
    cliProgress.Presets.shades_classic,
  );
  const bar = bars.create(total, 0, { stage: '' });
  return {
    stage: (name) => bar.update({ stage: printable(name, { line: true }) }),
    advance: (steps) => bar.increment(steps),
    note: (line) => bars.log(`${printable(line)}\n`),
    stop: () => bars.stop(),
  };
}

/** `, 12 min left`; nothing where it is not known, or soon. */
function timeLeft(seconds = 0): string {
  if (seconds < 1) return '';
  return seconds < 120 ? `, ${seconds} s left` : `, ${Math.round(seconds / 60)} min left`;
}

/** Streams that say nothing any more when whoever read them has gone. */
const surviving = new WeakSet<NodeJS.WritableStream>();

/**
 * Lets a stream lose its reader (`2>&1 | head`, a terminal that closes, a full disk) without ending the process: what is being trained is
 * worth more than words about it.
 *
 * @param failed Told of the first error.
 */
export function surviveClosed(
  stream: NodeJS.WritableStream,
  failed: (error: NodeJS.ErrnoException) => void = () => {},
): void {
  if (surviving.has(stream)) return;
  surviving.add(stream);
  let count = 0;
  stream.on('error', (error) => void (count++ === 0 && failed(error)));
}
