import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeIndex, type Behaviour } from '../test/fake-index.js';
import { temporaryFolder, wheel } from '../test/fake-wheel.js';
import { download, type DownloadTools, type Order } from './download.js';
import { unpackWheel } from './unpack-wheel.js';
import { silentProgress } from './progress.js';

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

// Bytes that no compression makes smaller: a library that is wanted between two files that are not.
const library = randomBytes(900_000);
const bytes = wheel({
  files: {
    'a/first.bin': randomBytes(2_000_000),
    'b/library.so': library,
    'c/last.bin': randomBytes(1_500_000),
  },
});
const name = 'tensorflow_cpu-9.9.9-cp311-cp311-manylinux_2_27_x86_64.whl';
const wanted = (path: string) => path === 'b/library.so';

const noPip: DownloadTools['run'] = () =>
  Promise.resolve({ code: 1, stdout: '', stderr: '', startError: 'ENOENT' });

function tools(
  env: NodeJS.ProcessEnv,
  change: Partial<DownloadTools> = {},
): DownloadTools & { notes: string[] } {
  const notes: string[] = [];
  const home = temporaryFolder();
  return {
    env: { HOME: home, ...env },
    run: noPip,
    signal: undefined,
    progress: silentProgress,
    note: (line) => void notes.push(line),
    notes,
    firstWaitMs: 1,
    ...change,
  };
}

function order(change: Partial<Order> = {}): Order {
  return {
    name: 'tensorflow-cpu',
    version: '9.9.9',
    sha256: hash(bytes),
    platform: 'linux',
    arch: 'x64',
    bytes: bytes.length,
    select: null,
    staging: join(temporaryFolder(), 'staging'),
    kept: join(temporaryFolder(), 'kept'),
    ...change,
  };
}

const serve = (change: Partial<Behaviour> = {}) => fakeIndex({ [name]: bytes }, change);
const message = (run: Promise<unknown>) =>
  run.then(
    () => 'no error',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('download', () => {
  it.each(['json', 'html'] as const)('takes a whole wheel from an index that answers %s', async (form) => {
    const index = await serve({ form });
    const got = await download(order(), tools({ PIP_INDEX_URL: index.address }));
    expect(readFileSync(got.file).equals(bytes)).toBe(true);
    expect(got.isWhole).toBe(true);
    await got.remove();
    expect(existsSync(got.file)).toBe(false);
  });

  it('takes the wheel of the system and the processor, and says for which there is none', async () => {
    const others = Object.fromEntries(
      ['manylinux_2_27_aarch64', 'macosx_12_0_arm64', 'macosx_12_0_x86_64'].map((platform) => [
        `tensorflow-9.9.9-cp311-cp311-${platform}.whl`,
        wheel({ name: 'tensorflow', files: { platform } }),
      ]),
    );
    const index = await fakeIndex(others);
    const mac = { name: 'tensorflow', sha256: null, platform: 'darwin', arch: 'arm64' } as const;
    const got = await download(order(mac), tools({ G2D_INDEX: index.address }));
    expect(readFileSync(got.file).equals(others['tensorflow-9.9.9-cp311-cp311-macosx_12_0_arm64.whl']!)).toBe(
      true,
    );
    const none = download(order({ ...mac, version: '9.9.8' }), tools({ G2D_INDEX: index.address }));
    expect(await message(none)).toMatch(/NO_SUCH_WHEEL: .* no wheel of tensorflow 9\.9\.8 for macOS arm64/);
  });

  it('fetches the wanted entries alone, which can be unpacked by the hash of RECORD', async () => {
    const index = await serve();
    const got = await download(order({ select: wanted }), tools({ UV_DEFAULT_INDEX: index.address }));
    expect(got.isWhole).toBe(false);
    expect(index.sent).toBeLessThan(bytes.length / 2);
    const into = temporaryFolder();
    const select = (path: string) => (wanted(path) ? 'library.so' : null);
    await unpackWheel({ wheel: got.file, into, select });
    expect(readFileSync(join(into, 'library.so')).equals(library)).toBe(true);
    await expect(
      unpackWheel({ wheel: got.file, into, select, recordSha256: '0'.repeat(64) }),
    ).rejects.toMatchObject({ code: 'G2D_NATIVE_WRONG_HASH' });
  });

  it('takes all from a server that knows no ranges', async () => {
    const index = await serve({ ranges: false });
    const got = await download(order({ select: wanted }), tools({ G2D_INDEX: index.address }));
    expect(readFileSync(got.file).equals(bytes)).toBe(true);
    expect(got.isWhole).toBe(true);
  });

  it('goes on where a connection broke, and asks again what the server failed to answer', async () => {
    const index = await serve({ cuts: 3, failures: { count: 1, status: 503 } });
    const got = await download(order(), tools({ G2D_INDEX: index.address }));
    expect(readFileSync(got.file).equals(bytes)).toBe(true);
    expect(index.sent).toBeLessThan(bytes.length * 1.5);
  });

  it('goes on where a stopped process was', async () => {
    const index = await serve();
    const asked = order();
    const controller = new AbortController();
    const progress = { ...silentProgress, bytes: (done: number) => done > 2_000_000 && controller.abort() };
    const env = { G2D_INDEX: index.address };
    expect(await message(download(asked, tools(env, { progress, signal: controller.signal })))).toMatch(
      /INTERRUPTED/,
    );
    const before = index.sent;
    const got = await download(asked, tools(env));
    expect(readFileSync(got.file).equals(bytes)).toBe(true);
    expect(index.sent - before).toBeLessThan(bytes.length - 1_500_000);
  });

  it('gives up an index that never answers, in one sentence without its password', async () => {
    const said = await message(
      download(order(), tools({ PIP_INDEX_URL: 'http://anna:secret@127.0.0.1:9/simple' })),
    );
    expect(said).toMatch(/NO_NETWORK: The package index that PIP_INDEX_URL names cannot be reached/);
    expect(said).not.toContain('secret');
  });

  it.each([
    [
      'login',
      /BAD_INDEX: PIP_INDEX_URL should name a Python package index, but .* neither JSON nor a page with links/,
    ],
    ['broken', /BAD_INDEX: .*JSON that cannot be read/],
  ] as const)('says what an index that answers nonsense (%s) sent', async (form, said) => {
    const index = await serve({ form });
    expect(await message(download(order(), tools({ PIP_INDEX_URL: index.address })))).toMatch(said);
  });

  it('refuses changed bytes, and keeps nothing of them', async () => {
    const index = await serve({ change: (good) => Buffer.concat([Buffer.from('x'), good.subarray(1)]) });
    const asked = order();
    expect(await message(download(asked, tools({ G2D_INDEX: index.address })))).toMatch(/WRONG_HASH/);
    expect(readdirSync(asked.kept)).toEqual([]);
  });

  it('refuses a wheel of another hash before a byte of it is downloaded', async () => {
    const index = await serve();
    const asked = order({ sha256: 'f'.repeat(64) });
    expect(await message(download(asked, tools({ G2D_INDEX: index.address })))).toMatch(
      /WRONG_HASH: .*offers another .* than the tested one/,
    );
    expect(index.sent).toBe(0);
  });

  it('says when the server sends another number of bytes than the index told', async () => {
    const index = await serve({ change: (good) => good.subarray(0, -10) });
    expect(await message(download(order(), tools({ G2D_INDEX: index.address })))).toMatch(
      /BAD_INDEX: .* sent \d+ bytes where the index says \d+/,
    );
  });

  it('manages without sizes and hashes, with a note', async () => {
    const index = await serve({ facts: false });
    const told = tools({ G2D_INDEX: index.address });
    const got = await download(order({ sha256: null }), told);
    expect(statSync(got.file).size).toBe(bytes.length);
    expect(told.notes).toEqual([expect.stringContaining('gives no hash')]);
  });

  it('says which version an index does not have, and asks pip first where there is one', async () => {
    const index = await serve();
    const asked = order({ version: '9.9.8', sha256: null });
    const told = tools({ G2D_INDEX: index.address });
    expect(await message(download(asked, told))).toMatch(
      /NO_SUCH_WHEEL: .* no wheel of tensorflow-cpu 9\.9\.8 for Linux x64/,
    );
    const pips: string[] = [];
    const withPip = tools(
      { G2D_INDEX: index.address },
      {
        run: (command, args) => {
          pips.push([command, ...args].join(' '));
          const stdout = args.includes('--version') ? 'pip 24.0 from x\n' : '';
          return Promise.resolve({
            code: stdout ? 0 : 1,
            stdout,
            stderr: 'No matching distribution',
            startError: null,
          });
        },
      },
    );
    expect(await message(download(asked, withPip))).toMatch(/NO_SUCH_WHEEL/);
    expect(pips.some((line) => line.includes(' download '))).toBe(true);
    expect(withPip.notes).toEqual([expect.stringMatching(/: asking pip$/)]);
  });

  it('gives a name and a password to the index, and says when they are refused', async () => {
    const index = await serve({ login: 'anna:s#cret' });
    const address = index.address.replace('//', '//anna:s%23cret@');
    const got = await download(order(), tools({ PIP_INDEX_URL: address }));
    expect(got.isWhole).toBe(true);
    expect(await message(download(order(), tools({ PIP_INDEX_URL: index.address })))).toMatch(
      /NO_NETWORK: .* refused to answer \(401\)\. Check the name and password/,
    );
  });

  it('goes through a proxy with a login', async () => {
    const index = await serve();
    let tunnels = 0;
    const proxy = createServer().on('connect', (request, socket, head) => {
      const login = `Basic ${Buffer.from('anna:secret').toString('base64')}`;
      if (request.headers['proxy-authorization'] !== login)
        return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      tunnels += 1;
      const [host, port] = request.url!.split(':');
      const through = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        through.write(head);
        through.pipe(socket).pipe(through);
      });
      for (const end of [socket, through]) end.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as AddressInfo;
    const env = { G2D_INDEX: index.address, http_proxy: `http://anna:secret@127.0.0.1:${port}` };
    expect((await download(order(), tools(env))).isWhole).toBe(true);
    expect(tunnels).toBeGreaterThan(0);
    const said = await message(
      download(order(), tools({ ...env, http_proxy: `http://anna:wrong@127.0.0.1:${port}` })),
    );
    expect(said).toMatch(/NO_NETWORK: .*HTTPS_PROXY, its name and password included/);
    expect(said).not.toContain('wrong');
  });

  it('trusts the certificates that pip is told to trust, and says what to name where that is missing', async () => {
    const index = await serve({ certificate: 'localhost' });
    const env = { PIP_INDEX_URL: index.address };
    const trusted = tools({
      ...env,
      PIP_CERT: fileURLToPath(new URL('../test/localhost.pem', import.meta.url)),
    });
    expect((await download(order(), trusted)).isWhole).toBe(true);
    expect(await message(download(order(), tools(env)))).toMatch(
      /NO_NETWORK: .*certificate of your network in PIP_CERT/,
    );
  });

  it('says which setting names an index where none does and there is no pip', async () => {
    expect(await message(download(order(), tools({})))).toMatch(
      /NO_INDEX: No Python package index is named .* set PIP_INDEX_URL or G2D_INDEX .*--wheel FILE/,
    );
  });
});
