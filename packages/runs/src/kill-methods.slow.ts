// A run of every method, killed in each of its stages and in what it does between epochs, and gone on with, ends exactly as one that never
// was: every weight, every momentum, every metric and every prediction, bit for bit. G2D_KILLS=all kills twice as often.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { methods } from '@g2d/methods';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContents } from '../test/kill/contents.js';
import { killsOf, teacherTrainings, trainings, type KillPlan } from '../test/kill/plan.js';

const all = process.env['G2D_KILLS'] === 'all';
const here = resolve(import.meta.dirname, '..');
// Below a node_modules, so that it finds TensorFlow.js.
const cache = resolve(here, '../../node_modules/.cache');
let root: string;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  root = mkdtempSync(join(cache, 'g2d-kill-methods-'));
  await build({
    entry: [join(here, 'test/kill/program.ts')],
    outDir: root,
    format: 'esm',
    config: false,
    silent: true,
    treeshake: true,
    external: [/^[^./@]/, /^@tensorflow\//],
    noExternal: [/^@g2d\//],
    esbuildOptions: (options) => {
      options.conditions = ['@g2d/source'];
    },
  });
  await train('teachers', { runs: teacherTrainings(root), kills: [] });
}, 300_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Trains a plan to its end, with a new process after every kill. */
async function train(name: string, plan: KillPlan): Promise<void> {
  const path = join(root, `${name}.json`);
  writeFileSync(path, JSON.stringify(plan));
  for (let kill = 0; kill <= plan.kills.length; kill++) {
    const child = spawn(process.execPath, [join(root, 'program.js'), path, String(kill)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Without git, whose state every run would record anew.
      env: { ...process.env, PATH: '' },
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    const isLast = kill === plan.kills.length;
    expect({ code, signal }, errors).toEqual(
      isLast ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' },
    );
  }
}

describe('a killed run of every method', () => {
  it('goes on as if nothing had been', async () => {
    const [whole, killed] = ['whole', 'killed'].map((out) => trainings(root, join(root, out)));
    const lanes = Array.from({ length: availableParallelism() }, (_, lane) => lane);
    const part = <T>(items: readonly T[], lane: number): readonly T[] =>
      items.filter((_, i) => i % lanes.length === lane);
    await Promise.all(
      lanes.map(async (lane) => {
        await train(`whole-${lane}`, { runs: part(whole!, lane), kills: [] });
        const runs = part(killed!, lane);
        await train(`killed-${lane}`, { runs, kills: runs.flatMap(({ id }) => killsOf(id, all)) });
      }),
    );
    for (const { name } of methods) {
      const [expected, found] = ['whole', 'killed'].map((out) => runContents(join(root, out, name)));
      expect(found, name).toEqual(expected);
    }
  }, 1_200_000);
});
