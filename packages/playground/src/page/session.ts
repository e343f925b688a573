// The trainings of the page: one worker for the method, one for joint training beside it.
import type { CatalogMethod } from '../catalog.js';
import type { News, Order } from '../protocol.js';
import type { Settings } from '../settings.js';

/** A training in a worker. */
export interface Session {
  send(order: Order): void;
  /** Ends it at once. */
  end(): void;
}

/** @param hear Called with all that the worker says, and when it breaks. */
export function startSession(
  {
    settings,
    method,
    threads,
    paused,
  }: { settings: Settings; method: CatalogMethod; threads: number; paused: boolean },
  hear: (news: News) => void,
): Session {
  const worker = new Worker(new URL('../training/worker.ts', import.meta.url), { type: 'module' });
  let ended = false;
  worker.addEventListener('message', ({ data }: MessageEvent<News>) => {
    if (!ended) hear(data);
  });
  worker.addEventListener('error', (event) => {
    if (!ended)
      hear({ type: 'failed', text: event.message || 'The worker that trains could not be started.' });
  });
  const send = (order: Order): void => worker.postMessage(order, []);
  send({ type: 'start', settings, method, threads, base: new URL('./', document.baseURI).href, paused });
  return {
    send,
    end() {
      ended = true;
      worker.terminate();
    },
  };
}
