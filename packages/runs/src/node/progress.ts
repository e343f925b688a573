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
 * A bar with the time left on a terminal; elsewhere a line when a stage begins.
 *
 * @param total All steps.
 * @param stream Default: standard error, so that standard output holds results only.
 */
export function createProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  surviveClosed(stream);
  if (!stream.isTTY) {
    let done = 0;
    const started = performance.now();
    return {
      stage: (name) => {
        const seconds = Math.round((performance.now() - started) / 1000);
        stream.write(
          `[${String(Math.round((100 * done) / total)).padStart(3)} %, ${seconds} s] ${printable(name, { line: true })}\n`,
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
