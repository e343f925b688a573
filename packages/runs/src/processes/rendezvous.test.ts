import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Launch } from './launched.js';
import { meet } from './rendezvous.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-meet-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const launch = (rank: number, changes: Partial<Launch> = {}): Launch => ({
  rank,
  processes: 2,
  start: 'first',
  addresses: undefined,
  host: '127.0.0.1',
  ...changes,
});

describe('meet', () => {
  it('tells every process where all are, and leaves nothing behind', async () => {
    const out = join(root, 'both');
    const meetings = await Promise.all([0, 1].map((rank) => meet(launch(rank), { out, seconds: 30 })));
    const [first, second] = meetings.map(({ addresses }) => addresses);
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(2);
    for (const { forget } of meetings) forget();
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  });

  it('keeps two starts in one folder apart', async () => {
    const out = join(root, 'starts');
    const of = (start: string) =>
      Promise.all([0, 1].map((rank) => meet(launch(rank, { start }), { out, seconds: 30 })));
    const [a, b] = await Promise.all([of('a'), of('b')]);
    expect(a[0]!.addresses).not.toEqual(b[0]!.addresses);
  });

  it('says who did not come', async () => {
    const out = join(root, 'alone');
    await expect(meet(launch(1, { processes: 4 }), { out, seconds: 0.2 })).rejects.toThrow(
      /^Processes 0, 2, 3 of 4 did not come within 0\.2 s\. Look at what they say, and whether they see the folder .*\/alone\/\.processes\/first \(G2D_ADDRESSES does without\)\.$/,
    );
    // Whoever is started again is not there twice.
    await expect(meet(launch(1), { out, seconds: 0.1 })).rejects.toThrow(/Process 0 of 2 did not come/);
  });

  it('says that a process was started twice', async () => {
    const out = join(root, 'twice');
    const waiting = meet(launch(0), { out, seconds: 30 });
    while (!existsSync(join(out, '.processes/first/0')))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(meet(launch(0), { out, seconds: 30 })).rejects.toThrow(
      /Process 0 of 2 is already there \(127\.0\.0\.1:\d+\): it was started twice\./,
    );
    await meet(launch(1), { out, seconds: 30 });
    await waiting;
  });

  it('says that processes were started as different numbers', async () => {
    const out = join(root, 'counts');
    const both = await Promise.allSettled([
      meet(launch(0), { out, seconds: 30 }),
      meet(launch(1, { processes: 3 }), { out, seconds: 0.5 }),
    ]);
    expect(String((both[0] as PromiseRejectedResult).reason)).toContain(
      'Process 1 was started as one of 3, but process 0 as one of 2.',
    );
  });

  it('needs a name of the start, or addresses', async () => {
    await expect(meet(launch(1, { start: undefined }), { out: root, seconds: 1 })).rejects.toThrow(
      'Process 1 of 2 does not know which start it is of. Set G2D_START to a name',
    );
  });

  it('says that a given port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const { port } = server.address() as AddressInfo;
    const addresses = [`127.0.0.1:${port}`, '127.0.0.1:1'];
    await expect(meet(launch(0, { addresses }), { out: root, seconds: 1 })).rejects.toThrow(
      new RegExp(
        `^Process 0 cannot listen at 127\\.0\\.0\\.1:${port}, which G2D_ADDRESSES gives it: .*EADDRINUSE`,
      ),
    );
    await new Promise((resolve) => server.close(resolve));
    expect((await meet(launch(0, { addresses }), { out: root, seconds: 1 })).addresses).toEqual(addresses);
  });
});
