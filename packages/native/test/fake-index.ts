import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** How an index behaves. Each can be changed while it runs. */
export interface Behaviour {
  /** Whether it answers ranges. */
  ranges: boolean;
  /** Cuts the connection of so many answers of a file after a part of it. */
  cuts: number;
  /** Answers so many requests with this status first. */
  failures: { count: number; status: number };
  /** `json` (PEP 691), `html` (PEP 503), `login` (a page that is neither), `broken` (JSON cut short). */
  form: 'json' | 'html' | 'login' | 'broken';
  /** Whether the index tells sizes and hashes. */
  facts: boolean;
  /** What it sends in the place of a wheel's bytes. */
  change: (bytes: Buffer) => Buffer;
  /** `name:password` that it asks for. */
  login: string | null;
  /** Name of the self-signed certificate beside this file; null: no TLS. */
  certificate: string | null;
}

/** A package index on this machine, of some wheels. */
export interface FakeIndex {
  readonly address: string;
  readonly behaviour: Behaviour;
  /** Bytes of files that were sent. */
  sent: number;
  readonly requests: string[];
}

/** Serves wheels, by file name, as the index of one distribution. */
export async function fakeIndex(
  wheels: Readonly<Record<string, Buffer>>,
  change: Partial<Behaviour> = {},
): Promise<FakeIndex> {
  const behaviour: Behaviour = {
    ranges: true,
    cuts: 0,
    failures: { count: 0, status: 503 },
    form: 'json',
    facts: true,
    change: (bytes) => bytes,
    login: null,
    certificate: null,
    ...change,
  };
  const listener: RequestListener = (request, response) => answer(index, wheels, request, response);
  const pem = (name: string) => readFileSync(new URL(`${behaviour.certificate}.${name}`, import.meta.url));
  const server =
    behaviour.certificate === null
      ? createServer(listener)
      : createTls({ cert: pem('pem'), key: pem('key.pem') }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close(() => {}));
  onTestFinished(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const index: FakeIndex = {
    address: `${behaviour.certificate === null ? 'http' : 'https'}://127.0.0.1:${port}/simple`,
    behaviour,
    sent: 0,
    requests: [],
  };
  return index;
}

function answer(
  index: FakeIndex,
  wheels: Readonly<Record<string, Buffer>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { behaviour } = index;
  const path = new URL(request.url!, 'http://localhost').pathname;
  index.requests.push(`${path} ${request.headers.range ?? ''}`.trim());
  if (behaviour.login !== null) {
    const expected = `Basic ${Buffer.from(behaviour.login).toString('base64')}`;
    if (request.headers.authorization !== expected) return void response.writeHead(401).end();
  }
  if (behaviour.failures.count > 0) {
    behaviour.failures.count -= 1;
    return void response.writeHead(behaviour.failures.status).end();
  }
  if (path.startsWith('/simple/')) return listing(index, wheels, response);
  const wheel = wheels[path.replace('/files/', '')];
  if (!wheel) return void response.writeHead(404).end();
  sendFile(index, behaviour.change(wheel), request, response);
}

function listing(index: FakeIndex, wheels: Readonly<Record<string, Buffer>>, response: ServerResponse): void {
  const { form, facts } = index.behaviour;
  const files = Object.entries(wheels).map(([filename, bytes]) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return {
      filename,
      url: `/files/${filename}`,
      hashes: facts ? { sha256 } : {},
      ...(facts ? { size: bytes.length } : {}),
    };
  });
  if (form === 'json' || form === 'broken') {
    const text = JSON.stringify({ meta: { 'api-version': '1.1' }, files });
    response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' });
    return void response.end(form === 'json' ? text : text.slice(0, -5));
  }
  response.writeHead(200, { 'content-type': 'text/html' });
  const links = files.map(
    ({ filename, url, hashes }) =>
      `<a data-requires-python="&gt;=3.9" href="${url}${hashes.sha256 ? `#sha256=${hashes.sha256}` : ''}">${filename}</a><br/>`,
  );
  response.end(
    `<!DOCTYPE html><html><body>${form === 'html' ? links.join('\n') : 'Please log in.'}</body></html>`,
  );
}

function sendFile(index: FakeIndex, bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const { behaviour } = index;
  const range = behaviour.ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null;
  const [from, to] = range
    ? [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)]
    : [0, bytes.length];
  const part = bytes.subarray(from, to);
  response.writeHead(range ? 206 : 200, {
    'content-length': part.length,
    ...(range ? { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
  });
  if (behaviour.cuts > 0 && part.length > 1) {
    behaviour.cuts -= 1;
    const half = part.subarray(0, Math.ceil(part.length * 0.6));
    index.sent += half.length;
    return void response.write(half, () => response.destroy());
  }
  index.sent += part.length;
  response.end(part);
}
