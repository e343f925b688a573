// Opens a page in a real browser, headless, and waits for what the page posts to /result. For tests in any package.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, normalize, resolve } from 'node:path';
import { json } from 'node:stream/consumers';

/** The browser to test with: `CHROMIUM`, or the first of the usual names on the path. */
export function findBrowser(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  return [CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']
    .filter((command) => command !== undefined)
    .flatMap((command) => PATH.split(delimiter).map((folder) => resolve(folder, command)))
    .find(isFile);
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/**
 * Serves folders on 127.0.0.1, opens `page` of the first in the browser and returns the JSON that the page posts to
 * `/result`. An object with a string `error` is thrown instead.
 *
 * @param options `folders`: where files are looked for, in this order. `page`: path with query, for example `/page.html`. `isolated`: with the
 * headers that let the page share memory among threads. `flags`: those of the browser that say what draws, in place of none.
 */
export async function runPage({
  browser,
  folders,
  page,
  timeoutMs,
  isolated = false,
  flags = [],
}: {
  readonly browser: string;
  readonly folders: readonly string[];
  readonly page: string;
  readonly timeoutMs: number;
  readonly isolated?: boolean;
  readonly flags?: readonly string[];
}): Promise<unknown> {
  let settle!: (result: unknown) => void;
  let reject!: (error: unknown) => void;
  const posted = new Promise<unknown>((...both) => ([settle, reject] = both));
  // Awaited only once the browser runs, and it may fail before.
  posted.catch(() => undefined);
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      json(request as IncomingMessage).then(settle, reject);
      response.end();
      return;
    }
    const path = normalize(new URL(request.url ?? '/', 'http://127.0.0.1').pathname);
    const file = folders.map((folder) => join(folder, path)).find(isFile);
    response.writeHead(file ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      ...(isolated && {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      }),
    });
    if (file) createReadStream(file).pipe(response);
    else response.end();
  });
  const profile = await mkdtemp(join(tmpdir(), 'g2d-browser-'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${page}`;
  // A process group of its own, so that none of the browser's processes is left behind.
  const child = spawn(
    browser,
    [
      '--headless',
      '--no-sandbox',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
      `--user-data-dir=${profile}`,
      ...(flags.length > 0 ? flags : ['--disable-gpu']),
      url,
    ],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints = `${complaints}${chunk}`.slice(-2000)));
  const exited = new Promise<void>((ended) => child.once('close', () => ended()));
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`${browser} ended (${code}): ${complaints}`)));
  const timer = setTimeout(
    () => reject(new Error(`${page} posted nothing within ${timeoutMs / 1000} s: ${complaints}`)),
    timeoutMs,
  );
  try {
    const result = await posted;
    const error = (result as { error?: unknown } | null)?.error;
    if (typeof error === 'string') throw new Error(`${page} failed in ${browser}: ${error}`);
    return result;
  } finally {
    clearTimeout(timer);
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await exited;
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
