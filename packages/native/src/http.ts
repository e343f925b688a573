import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher, Response } from 'undici';
import { NativeError } from './errors.js';
import type { IndexSettings } from './index-settings.js';
import { interruptedError } from './pip-download.js';

/** Answers of a package index, over one set of connections. */
export interface Http {
  /**
   * Asks once. Redirects are followed; the name and password go to the index's own host alone.
   *
   * @throws What the connection ended with; {@link NativeError} for an answer that no second try would change.
   */
  get(url: URL, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /**
   * Repeats what a connection may have spoilt, waiting longer each time. Work that got further before it failed counts anew.
   *
   * @param progress A number that has grown if the last try was of use.
   * @param work Does what is left.
   * @throws {NativeError} `G2D_NATIVE_NO_NETWORK` when nothing helps, with the last cause.
   */
  persist<T>(progress: () => number, work: () => Promise<T>): Promise<T>;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** How often one piece is asked for when nothing of it comes. */
const tries = 5;

/**
 * A client with a user's proxy and certificates.
 *
 * @param firstWaitMs How long to wait before something is asked for a second time; then twice as long, and so on.
 */
export async function openHttp(
  settings: IndexSettings,
  signal: AbortSignal | undefined,
  firstWaitMs: number,
): Promise<Http> {
  // Only here: a program that loads TensorFlow has no use for it.
  const undici = await import('undici');
  const { proxy, certificates } = settings;
  const trust = certificates === null ? {} : { ca: certificates };
  const dispatcher: Dispatcher = new undici.EnvHttpProxyAgent({
    httpProxy: proxy.http ?? '',
    httpsProxy: proxy.https ?? '',
    noProxy: proxy.none ?? '',
    connect: { ...trust, timeout: 15_000 },
    requestTls: trust,
    proxyTls: trust,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
  return {
    async get(url, headers = {}) {
      const own = url.origin === settings.address.origin && settings.authorization;
      const response = await undici.fetch(url, {
        dispatcher,
        ...(signal ? { signal } : {}),
        headers: {
          'user-agent': 'g2d-native',
          ...headers,
          ...(own ? { authorization: settings.authorization! } : {}),
        },
      });
      if (response.ok) return response;
      await response.body?.cancel();
      const failure = new StatusError(response.status);
      if (response.status >= 500 || response.status === 429 || response.status === 408) throw failure;
      throw refused(settings, response.status, failure);
    },
    async persist(progress, work) {
      let failed = 0;
      for (;;) {
        const before = progress();
        try {
          return await work();
        } catch (error) {
          if (signal?.aborted) throw interruptedError();
          // The disk, or an answer that stays: not the connection's fault.
          if (NativeError.isInstance(error) || isFileError(error)) throw error;
          failed = progress() > before ? 1 : failed + 1;
          if (failed >= tries) throw unreachable(settings, error);
          await sleep(firstWaitMs * 2 ** (failed - 1), undefined, signal ? { signal } : {}).catch(() => {
            throw interruptedError();
          });
        }
      }
    },
    close: () => dispatcher.destroy(),
  };
}

class StatusError extends Error {
  constructor(status: number) {
    super(`the server answered ${status}`);
  }
}

function refused(settings: IndexSettings, status: number, cause: Error): NativeError {
  const login = status === 401 || status === 403;
  return new NativeError(
    status === 404 ? 'G2D_NATIVE_NO_SUCH_WHEEL' : 'G2D_NATIVE_NO_NETWORK',
    status === 404
      ? `The package index that ${settings.from} names does not have what was asked for (404). Check the address, which should end in /simple, ` +
          'and the version.'
      : `The package index that ${settings.from} names refused to answer (${status}). ` +
          (login ? 'Check the name and password in its address.' : 'Check its address.'),
    { from: settings.from, status },
    { cause },
  );
}

const isFileError = (error: unknown) =>
  'path' in (error as object) || /^(?:ENOSPC|EDQUOT)$/.test(codeOf(error));

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

function unreachable(settings: IndexSettings, error: unknown): NativeError {
  const reason = innermost(error);
  const proxy = /proxy/i.test(`${reason.message} ${(error as Error).message}`);
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(codeOf(reason));
  const advice = proxy
    ? 'Check HTTPS_PROXY, its name and password included.'
    : certificate
      ? 'Name the certificate of your network in PIP_CERT or SSL_CERT_FILE.'
      : 'Check the network, and HTTPS_PROXY if you need a proxy; what has arrived is kept for the next try.';
  return new NativeError(
    'G2D_NATIVE_NO_NETWORK',
    `The package index that ${settings.from} names cannot be reached, or its connection breaks each time: ${withoutAddresses(reason)}. ${advice} A wheel ` +
      'that was downloaded elsewhere can be given with --wheel FILE.',
    { from: settings.from, code: codeOf(reason) || null },
    { cause: error },
  );
}

function innermost(error: unknown): Error {
  const { cause } = error as Error;
  const [first] = (error as AggregateError).errors ?? [];
  if (first instanceof Error) return innermost(first);
  return cause instanceof Error ? innermost(cause) : (error as Error);
}

/** Addresses may hold a password. */
function withoutAddresses({ message, name }: Error): string {
  return (message || name).replace(/\b[a-z+]+:\/\/[^\s'")]+/gi, '<address>').split('\n')[0]!;
}
