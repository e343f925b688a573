import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { G2DError, OptionError } from '@g2d/core';
import type { DatasetSource, MultimodalDataset } from '@g2d/core';
import type { ReadRow, ReadTask, WorkerAnswer, WorkerData } from './messages.js';
import { fromSent } from './sent-error.js';

/** How long workers that nobody uses stay, in ms: an evaluation between two epochs should not make them start anew. */
const IDLE_MS = 30_000;

interface PendingTask {
  readonly rows: ReadRow[];
  answers: number;
  readonly resolve: (rows: readonly ReadRow[]) => void;
  readonly reject: (error: Error) => void;
}

/** Pools that nobody uses at the moment. Workers belong to a dataset object, for they have opened its files. */
const idle = new WeakMap<object, WorkerPool[]>();

/**
 * Worker threads that have a dataset open. They keep the process alive only while they have something to do.
 */
export class WorkerPool {
  readonly #workers: readonly Worker[];
  readonly #where: string;
  readonly #tasks = new Map<number, PendingTask>();
  readonly #slots: SharedArrayBuffer[] = [];
  #nextTask = 0;
  #failure: Error | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  /** An idle pool of the dataset, or a new one. Give it back with `release`. */
  static acquire(dataset: MultimodalDataset<string>, count: number): WorkerPool {
    const pools = idle.get(dataset) ?? [];
    const at = pools.findIndex((pool) => pool.#workers.length === count && pool.#failure === undefined);
    const found = at < 0 ? undefined : pools.splice(at, 1)[0];
    if (found === undefined) return new WorkerPool(dataset, count);
    clearTimeout(found.#idleTimer);
    return found;
  }

  private constructor(dataset: MultimodalDataset<string>, count: number) {
    const source = sourceOf(dataset);
    this.#where = `${dataset.name} (${dataset.split})`;
    this.#workers = Array.from({ length: count }, () => {
      const worker = startWorker(source);
      worker.unref();
      worker.on('message', (answer: WorkerAnswer) => this.#take(answer));
      worker.on('messageerror', (error) => this.#fail(`sent what cannot be read: ${error.message}`, error));
      worker.on('error', (error: Error) => this.#fail(`died: ${error.message}`, error));
      worker.on('exit', (code) => this.#fail(`ended with exit code ${code} while it was needed`));
      return worker;
    });
  }

  /** Lets every worker take part in a batch. */
  run(task: Omit<ReadTask, 'id'>): Promise<readonly ReadRow[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#nextTask++;
    if (this.#tasks.size === 0) for (const worker of this.#workers) worker.ref();
    return new Promise((resolve, reject) => {
      this.#tasks.set(id, { rows: [], answers: 0, resolve, reject });
      const message: ReadTask = { ...task, id };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      for (const worker of this.#workers) worker.postMessage(message);
    });
  }

  /** Shared memory of at least so many bytes; give it back. Kept from pass to pass, for workers let go of it late. */
  takeSlot(bytes: number): SharedArrayBuffer {
    const at = this.#slots.findIndex(({ byteLength }) => byteLength >= bytes);
    if (at >= 0) return this.#slots.splice(at, 1)[0] as SharedArrayBuffer;
    // One that is too small makes room.
    this.#slots.pop();
    return new SharedArrayBuffer(bytes);
  }

  giveSlot(slot: SharedArrayBuffer): void {
    this.#slots.push(slot);
  }

  /** The pass is over: keep the workers for the next one, unless they failed or are still at work. */
  async release(dataset: MultimodalDataset<string>): Promise<void> {
    if (this.#failure || this.#tasks.size > 0) return this.end();
    idle.set(dataset, [...(idle.get(dataset) ?? []), this]);
    this.#idleTimer = setTimeout(() => {
      idle.set(
        dataset,
        (idle.get(dataset) ?? []).filter((pool) => pool !== this),
      );
      void this.end();
    }, IDLE_MS).unref();
  }

  async end(): Promise<void> {
    this.#failure ??= new Error('The workers have been ended.');
    for (const { reject } of this.#tasks.values()) reject(this.#failure);
    this.#tasks.clear();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #take(answer: WorkerAnswer): void {
    const task = this.#tasks.get(answer.id);
    if (task === undefined) return;
    if (answer.fatal) {
      const reason = fromSent(answer.fatal);
      return this.#fail(`could not open it again through its \`source\`: ${reason.message}`, reason);
    }
    task.rows.push(...answer.rows);
    task.answers++;
    if (task.answers < this.#workers.length) return;
    this.#tasks.delete(answer.id);
    if (this.#tasks.size === 0) for (const worker of this.#workers) worker.unref();
    task.resolve(task.rows);
  }

  #fail(problem: string, cause?: Error): void {
    if (this.#failure) return;
    this.#failure = new G2DError(
      'G2D_WORKER',
      `A worker thread that reads ${this.#where} ${problem}${/[.!?]$/.test(problem) ? '' : '.'} Read with \`workers: 0\` to see whether the data or the threads are to blame.`,
      {},
      { cause },
    );
    void this.end();
  }
}

function sourceOf({ name, split, source }: MultimodalDataset<string>): DatasetSource {
  const fail = (problem: string): OptionError =>
    new OptionError(`${problem} Leave \`workers\` at 0.`, {
      option: 'workers',
      value: source,
      accepted: '0',
    });
  if (!isMainThread && (workerData as Partial<WorkerData> | null)?.g2dDatasetWorker === true) {
    throw fail(
      'The module that `source` names reads batches itself while it is being imported by a worker. Put the function that opens ' +
        'the dataset into a module of its own.',
    );
  }
  if (source === undefined) {
    throw fail(
      `${name} (${split}) cannot be opened again in a worker thread: it has no \`source\` (a dataset in memory needs none, it ` +
        'is read already).',
    );
  }
  return source;
}

function startWorker(source: DatasetSource): Worker {
  const data: WorkerData = { g2dDatasetWorker: true, source };
  try {
    return new URL(import.meta.url).pathname.endsWith('.ts')
      ? new Worker(new URL('./worker-from-source.js', import.meta.url), {
          workerData: data,
          execArgv: ['--conditions=@g2d/source'],
        })
      : new Worker(new URL('./worker.js', import.meta.url), { workerData: data });
  } catch (error) {
    throw new OptionError(
      `No worker thread could be started: ${(error as Error).message}. The \`options\` of the dataset's \`source\` must be data ` +
        'that can be cloned, without functions.',
      { option: 'source', value: source.name, accepted: 'options that structuredClone copies' },
    );
  }
}
