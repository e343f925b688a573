// Two processes and TensorFlow between them. What may become of a run: `processes.slow.ts`.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { joinProcesses } from './join-processes.js';
import { peerLost } from './peer-lost.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-join-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('joinProcesses', () => {
  /** By the operation in C++ that Linux has. */
  const canShare = process.platform === 'linux' && process.env['G2D_KERNELS'] !== 'off';
  const hashes = new Set<unknown>();

  it.each(['on', 'off'])(
    'adds up numbers and tensors, and says that ports are open, shared memory %s',
    async (shared) => {
      const out = join(root, 'run');
      const program = resolve(import.meta.dirname, '../../test/processes/sums.ts');
      const env = { G2D_PROCESSES: '2', G2D_START: 'sums', G2D_HOST: '127.0.0.1', TF_CPP_MIN_LOG_LEVEL: '3' };
      const ends = await Promise.all(
        ['0', '1'].map((rank) =>
          promisify(execFile)(
            process.execPath,
            ['--conditions=@g2d/source', '--import', 'tsx', program, out],
            {
              env: { ...process.env, ...env, G2D_RANK: rank, G2D_SHARED_MEMORY: shared },
            },
          ),
        ),
      );
      const [first, second] = ends.map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>);
      const common = {
        values: ['3', '2000000000.25', 'Infinity'],
        sums: [
          { shape: [2, 3], least: 3, most: 3 },
          { shape: [3, 1_000_000], least: 4, most: 4 },
          { shape: [0, 2], least: null, most: null },
          { shape: [], least: 1, most: 1 },
        ],
        hash: expect.any(String) as string,
        told: [{ rank: 0 }, { rank: 1 }],
      };
      const note =
        /^2 processes \(0: 127\.0\.0\.1:\d+, pid \d+; 1: .*\)\. Their ports are open to everyone .*\.$/;
      const isShared = canShare && shared === 'on';
      expect(first).toEqual({ ...common, notes: [expect.stringMatching(note)] });
      expect(second).toEqual({ ...common, notes: [] });
      expect(String((first as { notes: string[] }).notes).includes('memory that they share')).toBe(isShared);
      expect(existsSync(out)).toBe(false);
      // The same bits everywhere, and either way.
      for (const one of [first, second]) hashes.add(one!['hash']);
      expect(hashes.size).toBe(1);
    },
  );

  it('needs TensorFlow', async () => {
    const launch = { rank: 1, processes: 2, start: 'a', addresses: undefined, host: undefined };
    const join = (env: NodeJS.ProcessEnv) => joinProcesses(launch, { out: root, note: () => {}, env });
    await expect(join({ G2D_BACKEND: 'wasm' })).rejects.toThrow(
      'G2D_BACKEND is wasm, but 2 processes need TensorFlow, through which they add up. Leave it out.',
    );
    await expect(join({ G2D_JOIN_SECONDS: 'soon' })).rejects.toThrow(
      'G2D_JOIN_SECONDS is "soon"; it must be a number above 0.',
    );
  });
});

describe('peerLost', () => {
  const addresses = ['a:1', 'b:2', 'c:3'];

  it('names the process that TensorFlow names', () => {
    const error = peerLost(new Error('/job:worker/replica:0/task:2 and /task:0 …'), addresses, 0);
    expect([error.code, error.message]).toEqual([
      'G2D_PEER_LOST',
      'Process 2 of 3 (c:3) is gone: process 0 waited for it in vain. The last checkpoint stays; go on with --resume, with as many processes as you like.',
    ]);
  });

  it('says what it knows where TensorFlow names none', () => {
    expect(peerLost(new Error('Aborted'), addresses, 1).message).toMatch(
      /^One of the other 2 processes is gone: process 1 waited for it in vain\./,
    );
  });
});
