import { randomStream } from '@g2d/tensor-ops';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../../test/bundle.js';
import { readCheckpoint } from './read-checkpoint.js';

const KILLS = 50;
const VALUES = 20_000;

/** Saves one checkpoint after the other, and says which are saved. */
const WRITER = `
import { writeSync } from 'node:fs';
import { writeCheckpoint } from ${JSON.stringify(new URL('write-checkpoint.ts', import.meta.url).pathname)};
const array = (value: number) => ({ shape: [${VALUES}], values: new Float32Array(${VALUES}).fill(value) });
for (let generation = Number(process.argv[3]); ; generation++) {
  const checkpoint = { model: { w: array(generation) }, optimizer: { w: array(-generation) }, state: { generation } };
  writeCheckpoint(process.argv[2] as string, 'last', checkpoint);
  writeSync(1, generation + '\\n');
}`;

let root: string;
let program: string;
beforeAll(async () => {
  ({ folder: root, program } = await bundle(WRITER));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a process killed while it saves', () => {
  it(`leaves the last checkpoint it had saved, or the one after it, ${KILLS} times`, async () => {
    const folder = join(root, 'checkpoints');
    const random = randomStream(7);
    const leftovers = new Set<string>();
    let newest = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = spawn(process.execPath, [program, folder, String(newest + 1)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      writer.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      await Promise.race([once(writer.stdout, 'data'), once(writer, 'close')]);
      await sleep(20 * random.uniform());
      writer.kill('SIGKILL');
      await once(writer, 'close');

      const saved = Number(said.trimEnd().split('\n').at(-1));
      const found = readCheckpoint(folder, 'last');
      const generation = (found?.state as { generation: number } | undefined)?.generation ?? 0;
      expect([saved, saved + 1]).toContain(generation);
      expect(found?.warnings).toEqual([]);
      expect(found?.model['w']?.values.every((value) => value === generation)).toBe(true);
      expect(found?.optimizer['w']?.values.every((value) => value === -generation)).toBe(true);
      for (const name of readdirSync(folder)) leftovers.add(name);
      newest = generation;
    }
    // The kills did hit the middle of saving.
    expect(leftovers).toContain('last.new');
    expect(newest).toBeGreaterThan(KILLS);
  });
});
