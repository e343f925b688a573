import { Worker } from 'node:worker_threads';

/** Ends a process that waits for others without end. */
export interface Watchdog {
  /** Waits for the others, which are to come soon. */
  watch<T>(wait: () => T): T;
  /** Waits in it may take as long as they do. */
  rest<T>(wait: () => T): T;
  stop(): void;
}

/**
 * A lost process is noticed by TensorFlow's heartbeat, but not one that lives and stands still: its heart is a thread of its own. While the main
 * thread waits for it in TensorFlow, a second one looks at the clock.
 *
 * @param minutes After which waiting is without end.
 * @param name Of this process.
 */
export function watchdog(minutes: number, name: string): Watchdog {
  // How many waits have begun, and ended.
  const counts = new Int32Array(new SharedArrayBuffer(8));
  let rests = false;
  const worker = new Worker(WATCH, { eval: true, workerData: { counts, minutes, name } });
  worker.unref();
  return {
    watch(wait) {
      if (rests) return wait();
      Atomics.add(counts, 0, 1);
      try {
        return wait();
      } finally {
        Atomics.add(counts, 1, 1);
      }
    },
    rest(wait) {
      rests = true;
      try {
        return wait();
      } finally {
        rests = false;
      }
    },
    stop: () => void worker.terminate(),
  };
}

// Not a file of its own, so that it is there in the sources as in the built package.
const WATCH = `
const { workerData: { counts, minutes, name } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
let [seen, since] = [-1, 0];
setInterval(() => {
  const begun = Atomics.load(counts, 0);
  if (begun === Atomics.load(counts, 1) || begun !== seen) [seen, since] = [begun, Date.now()];
  else if (Date.now() - since > 60_000 * minutes) {
    writeSync(2, 'g2d: ' + name + ' has waited for another one for ' + minutes + ' minutes (G2D_STALL_MINUTES), in its sum ' + begun + ': one of them lives and stands still. It ends here; the last checkpoint stays.\\n');
    process.kill(process.pid, 'SIGKILL');
  }
}, 1000);
`;
