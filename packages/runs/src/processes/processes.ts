import { deserialize, serialize } from 'node:v8';
import { G2DError, type AllReduce } from '@g2d/core';
import { gatherBytes } from '@g2d/trainer/internal';

/** What a process has added up with others. */
export interface Sent {
  /** How many sums, each of one tensor or of several. */
  readonly sums: number;
  /** Of all their numbers; in a ring each process sends and receives 2 (P − 1) / P times as much. */
  readonly bytes: number;
}

/** The processes that train a run together, as one of them sees them. Every process makes the same calls in the same order. */
export interface Processes {
  /** Sums over them, for the loop. */
  readonly allReduce: AllReduce & { readonly rank: number };
  /** So far. */
  readonly sent: () => Sent;
  /**
   * What each of them says, in their order.
   *
   * @param options `patient`: one of them may work for long before it says something. Default false.
   */
  tell<T>(value: T, options?: { readonly patient?: boolean }): T[];
  /** The run is over: waits until it is so for all. */
  leave(): void;
  /** Tidies up, however it ended. */
  close(): void;
}

/** Processes that add up in some way. */
export function processesOver(
  allReduce: Processes['allReduce'],
  {
    patiently,
    close,
    sent = () => ({ sums: 0, bytes: 0 }),
  }: { readonly patiently: <T>(wait: () => T) => T } & Pick<Processes, 'close'> &
    Partial<Pick<Processes, 'sent'>>,
): Processes {
  const tell = <T>(value: T): T[] =>
    gatherBytes(allReduce, serialize(value)).map((bytes) => deserialize(bytes) as T);
  return {
    allReduce,
    sent,
    tell: (value, { patient = false } = {}) => (patient ? patiently(() => tell(value)) : tell(value)),
    leave() {
      try {
        // Nobody leaves while another one still reads what it was sent.
        allReduce.sum(new Float64Array(1));
      } catch {
        // Whoever is gone by now was done.
      }
    },
    close,
  };
}

/**
 * Runs a part of a run in every process: where it fails in one, it fails in all.
 *
 * @throws {G2DError} `G2D_PEER_FAILED` where it failed in another one; its own error where it failed here.
 */
export async function together<T>(all: Processes | undefined, body: () => T | Promise<T>): Promise<T> {
  if (!all) return body();
  let end: { readonly value: T } | { readonly error: unknown };
  try {
    end = { value: await body() };
  } catch (error) {
    end = { error };
  }
  if ('error' in end && G2DError.isInstance(end.error) && end.error.code === 'G2D_PEER_LOST') throw end.error;
  const failures = all.tell(
    'error' in end ? String((end.error as Error | undefined)?.message ?? end.error) : null,
    { patient: true },
  );
  if ('error' in end) throw end.error;
  const first = failures.findIndex((failure) => failure !== null);
  if (first < 0) return end.value;
  throw new G2DError(
    'G2D_PEER_FAILED',
    `Process ${first} of ${failures.length} ended, and so do the others: ${failures[first]}`,
    { rank: first },
  );
}

/** What the first process finds, in all of them. */
export async function fromFirst<T>(all: Processes | undefined, find: () => T | Promise<T>): Promise<T> {
  if (!all) return find();
  const isFirst = isFirstOf(all);
  const found = await together(all, () => (isFirst ? find() : undefined));
  const [told] = all.tell(isFirst ? found : undefined);
  return isFirst ? (found as T) : (told as T);
}

/** What every process does, after the first one: where it finds what that one has written. */
export async function inTurn<T>(all: Processes | undefined, body: () => T | Promise<T>): Promise<T> {
  if (!all) return body();
  const isFirst = isFirstOf(all);
  const own = await together(all, () => (isFirst ? body() : undefined));
  return (await together(all, () => (isFirst ? own : body()))) as T;
}

/** Whether this process is the one that writes. */
export const isFirstOf = (all: Processes | undefined): boolean => !all || all.allReduce.rank === 0;
