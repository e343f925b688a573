// Draws one thing at a time, so that none of them keeps somebody's key or click waiting for the others.
const jobs = new Map<string, () => void>();
let isWaiting = false;

/** Does something soon; of what waits under one name only the last is done. */
export function later(name: string, job: () => void): void {
  jobs.delete(name);
  jobs.set(name, job);
  wait();
}

/** Forgets what waits: it is about what is no longer there. */
export const dropLater = (): void => jobs.clear();

function wait(): void {
  if (isWaiting || jobs.size === 0) return;
  isWaiting = true;
  // Not by frames, of which a hidden tab has none.
  setTimeout(() => {
    isWaiting = false;
    const [next] = jobs;
    if (!next) return;
    const [name, job] = next;
    jobs.delete(name);
    wait();
    job();
  });
}
