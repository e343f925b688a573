// The built playground as on a static host: in a folder, and without the headers of isolation.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Builds the page and serves it; `close` removes it again. */
export async function serveSite(): Promise<{ readonly address: string; close(): void }> {
  const site = mkdtempSync(join(tmpdir(), 'g2d-site-'));
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const settings = `--configLoader native --logLevel error --outDir ${site} --emptyOutDir`;
  execFileSync(
    process.execPath,
    `--conditions=@g2d/source --import tsx ${vite} build packages/playground ${settings}`.split(' '),
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(site, pathname.replace(/^\/g2d\//, '').replace(/^$/, 'index.html'));
    const isThere = pathname.startsWith('/g2d/') && existsSync(file) && statSync(file).isFile();
    response.writeHead(isThere ? 200 : 404, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    if (isThere) createReadStream(file).pipe(response);
    else response.end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}/g2d/`,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(site, { recursive: true, force: true });
    },
  };
}
