// The packages in a fresh Vite project, from their tarballs: the files of docs/in-a-browser.md as they stand there, built with Vite's own settings and
// served by its development server, in a real browser with everything, and with one thing after the other lacking.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { build, createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser } from '../browser/run-page.js';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'g2d-vite-'));
const project = join(folder, 'project');
const path = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!path) console.warn(missing);

const guide = readFileSync(join(root, 'docs/in-a-browser.md'), 'utf8');

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  });

/** What the guide installs, and what of ours these need. */
function packagesOfGuide(): { readonly ours: readonly string[]; readonly theirs: readonly string[] } {
  const named = [...guide.matchAll(/^npm install (.*)$/gm)].flatMap(([, names]) => names!.split(' '));
  const ours = new Set(named.filter((name) => name.startsWith('@g2d/')));
  for (const name of ours) {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(root, 'packages', name.slice('@g2d/'.length), 'package.json'), 'utf8'),
    ) as { dependencies?: Readonly<Record<string, string>> };
    for (const other of Object.keys(dependencies)) if (other.startsWith('@g2d/')) ours.add(other);
  }
  return { ours: [...ours], theirs: named.filter((name) => !name.startsWith('@g2d/')) };
}

let closing: (() => Promise<unknown>)[] = [];
let built: string;
let served: string;

beforeAll(async () => {
  if (!path) return;
  const { ours, theirs } = packagesOfGuide();
  const pack = [
    'pack',
    '--json',
    '--pack-destination',
    folder,
    ...ours.flatMap((name) => ['--workspace', name]),
  ];
  const tarballs = JSON.parse(run('npm', pack, root)) as { name: string; filename: string }[];
  mkdirSync(join(project, 'src'), { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(project, name), text);
  const dependencies = {
    ...Object.fromEntries(theirs.map((name) => [name, '4.22.0'])),
    ...Object.fromEntries(tarballs.map(({ name, filename }) => [name, `file:../${filename}`])),
  };
  write('package.json', JSON.stringify({ name: 'my-page', private: true, type: 'module', dependencies }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], project);
  // The repository's own Vite, for its configuration.
  symlinkSync(join(root, 'node_modules/vite'), join(project, 'node_modules/vite'));
  for (const [, name, text] of guide.matchAll(/^\*\*`([\w./]+)`\*\*.*\n\n```ts\n([^]*?)```/gm))
    write(name!, text!);
  write(
    'index.html',
    '<!doctype html><html lang="en"><title>My page</title><link rel="icon" href="data:," /><body><script type="module" src="/src/main.ts"></script></body></html>',
  );
  const settings = { root: project, logLevel: 'error' } as const;
  await build(settings);
  const [production, development] = await Promise.all([
    preview({ ...settings, preview: { port: 0 } }),
    createServer({ ...settings, server: { port: 0 } }).then((server) => server.listen()),
  ]);
  closing = [() => production.close(), () => development.close()];
  const addressOf = (server: { readonly httpServer: unknown }): string =>
    `http://localhost:${(server.httpServer as { address(): AddressInfo }).address().port}/`;
  built = addressOf(production);
  served = addressOf(development);
});
afterAll(async () => {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** The lines that the page writes, and what else it says. */
async function look(
  address: string,
  {
    flags = [],
    headers = {},
    script = '',
  }: {
    readonly flags?: readonly string[];
    /** In place of the server's; `undefined` leaves one out. */
    readonly headers?: Readonly<Record<string, string | undefined>>;
    /** Runs before the page. */
    readonly script?: string;
  } = {},
): Promise<{
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}> {
  const browser: Browser = await chromium.launch({ executablePath: path!, args: ['--no-sandbox', ...flags] });
  try {
    const page = await browser.newPage();
    const warnings: string[] = [];
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'warning') warnings.push(message.text());
    });
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.addInitScript(script);
    // The development server may load its page once more, and what is under way then is no error.
    if (Object.keys(headers).length > 0)
      await page.route('**/*', async (route) => {
        const response = await route.fetch();
        const all = Object.entries({ ...response.headers(), ...headers });
        await route.fulfill({
          response,
          headers: Object.fromEntries(all.filter((one): one is [string, string] => one[1] !== undefined)),
        });
      });
    await page.goto(address);
    await page.getByText('done').waitFor({ timeout: 60_000 });
    const lines = (await page.innerText('body')).trim().split('\n');
    return { lines, warnings, errors };
  } finally {
    await browser.close();
  }
}

/** More cores than this machine may have: TensorFlow.js takes half of what it is told of. */
const CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 });";

// Only a user's machine may lack one.
it('has a browser to run in where CI runs', () => {
  expect(path !== undefined || !process.env['CI'], missing).toBe(true);
});

describe.skipIf(!path)('a fresh Vite project', () => {
  let losses: readonly string[];

  it('trains on threads from a built page, made small', async () => {
    const code = run('find', ['dist', '-name', '*.js', '-size', '+100k'], project).trim();
    // Otherwise there would be nothing to see.
    expect(readFileSync(join(project, code), 'utf8')).not.toContain('typeof _scriptDir');
    const { lines, warnings, errors } = await look(built, { script: CORES });
    expect(lines[0]).toBe('2 thread(s), SIMD: true');
    losses = lines.slice(1, -1);
    expect(losses).toHaveLength(4);
    expect(losses.every((line, i) => line.startsWith(`epoch ${1 + (i % 2)}: loss 0.`) || i === 0)).toBe(true);
    // Emscripten's own, on a page that is no worker.
    expect(warnings.filter((text) => !text.startsWith('Blocking on the main thread'))).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('trains from the development server, with the same numbers', async () => {
    const { lines, errors } = await look(served, { script: CORES });
    expect(lines).toEqual(['2 thread(s), SIMD: true', ...losses, 'done']);
    expect(errors).toEqual([]);
  });

  it.each([
    [
      'the headers of isolation',
      { 'cross-origin-opener-policy': undefined, 'cross-origin-embedder-policy': undefined },
      /^WebAssembly runs on one thread: the page is not isolated from other origins; serve it with Cross-Origin-Opener-Policy/,
    ],
    [
      'workers from blob: addresses',
      { 'content-security-policy': "worker-src 'self'" },
      /^WebAssembly runs on one thread: its threads do not start here \(the rules of the page forbid workers from blob: addresses\)\.$/,
    ],
    [
      'scripts from blob: addresses',
      { 'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:" },
      /^WebAssembly runs on one thread: its threads do not start here \(Uncaught NetworkError: .*importScripts/,
    ],
  ])('goes on with one thread without %s, and says so', async (_, headers, sentence) => {
    const { lines, warnings, errors } = await look(built, { headers, script: CORES });
    expect(lines).toEqual(['1 thread(s), SIMD: true', ...losses, 'done']);
    expect(warnings).toEqual([expect.stringMatching(sentence)]);
    expect(errors).toEqual([]);
  });

  // V8 has vectors where the processor has SSE 4.1; on others there is no such switch.
  it.skipIf(process.arch !== 'x64')('goes on without SIMD, and says so', async () => {
    const flags = ['--js-flags=--no-enable-sse4-1'];
    const { lines, warnings, errors } = await look(built, { flags, script: CORES });
    expect(lines).toEqual(['1 thread(s), SIMD: false', ...losses, 'done']);
    expect(warnings).toEqual([expect.stringMatching(/^WebAssembly has no SIMD in this browser/)]);
    expect(errors).toEqual([]);
  });

  it('says what is lacking where the files of the backend are not found', async () => {
    const script = `addEventListener('error', ({ message }) => document.body.append(message + ' done'));
const { fetch } = globalThis;
globalThis.fetch = (url, ...rest) => fetch(String(url).endsWith('.wasm') ? '/nothing.wasm' : url, ...rest);`;
    const { lines } = await look(built, { script });
    expect(lines[0]).toMatch(
      /WebAssembly did not start: expected the backend's three \.wasm files where `files` says/,
    );
  });
});
