import cliProgress, { type SingleBar } from 'cli-progress';

/** Where an installation tells how far it is. */
export interface Progress {
  /** A new stage begins; `totalBytes` null means that its length is not known. */
  stage(name: string, totalBytes: number | null): void;
  /** So many bytes of the stage are done. */
  bytes(done: number): void;
  /** A line that stays. */
  note(line: string): void;
  /** Nothing more will come. */
  end(): void;
}

/** Tells nobody. */
export const silentProgress: Progress = { stage() {}, bytes() {}, note() {}, end() {} };

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** A bar on a terminal; elsewhere a line per stage and one every ten seconds. */
export function terminalProgress(
  stream: { isTTY?: boolean; write(text: string): unknown } = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  return stream.isTTY ? barProgress(stream as NodeJS.WriteStream) : lineProgress(stream, now);
}

function barProgress(stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | null = null;
  const stop = () => {
    bar?.stop();
    bar = null;
  };
  return {
    stage(name, totalBytes) {
      stop();
      if (totalBytes === null) {
        stream.write(`${name}\n`);
        return;
      }
      bar = new cliProgress.SingleBar(
        {
          format: `${name} {bar} {percentage} % of ${megabytes(totalBytes)}, {eta} s left`,
          stream,
          hideCursor: true,
          // An interrupted bar must leave the cursor visible; the command line handles the signal itself.
          gracefulExit: false,
        },
        cliProgress.Presets.shades_classic,
      );
      bar.start(totalBytes, 0);
    },
    bytes: (done) => bar?.update(Math.min(done, bar.getTotal())),
    note(line) {
      stop();
      stream.write(`${line}\n`);
    },
    end: stop,
  };
}

function lineProgress(stream: { write(text: string): unknown }, now: () => number): Progress {
  let current = '';
  let total: number | null = null;
  let last = 0;
  return {
    stage(name, totalBytes) {
      current = name;
      total = totalBytes;
      last = now();
      stream.write(`${name}${totalBytes === null ? '' : ` (${megabytes(totalBytes)})`}\n`);
    },
    bytes(done) {
      if (now() - last < 10_000) return;
      last = now();
      stream.write(`${current}: ${megabytes(done)}${total === null ? '' : ` of ${megabytes(total)}`}\n`);
    },
    note: (line) => void stream.write(`${line}\n`),
    end() {},
  };
}
