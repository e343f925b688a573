// Each way in as a user runs it, and what it prints.
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const run = async (file: string): Promise<string[]> => {
  const script = join(import.meta.dirname, file);
  const args = ['--conditions=@g2d/source', '--import', 'tsx', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout.trim().split('\n');
};

const alone = 'κ {"audio":0,"video":1}';
const both = 'κ {"audio":1,"video":1}';

describe('SMP in your trainer', () => {
  it.each([
    ['variable-grads.ts', ['0.976', '0.310', '0.112', '0.014']],
    ['layers-model-fit.ts', ['0.925', '0.384', '0.176', '0.051']],
    ['optimizer-minimize.ts', ['1.099', '0.963', '0.842', '0.675']],
    ['plain-javascript.js', ['1.036', '0.682', '0.335', '0.098']],
  ])('%s: the video alone for two epochs, then both', async (name, losses) => {
    const phases = [alone, alone, both, both];
    expect(await run(name)).toEqual(phases.map((kappa, i) => `epoch ${i + 1}: ${kappa}, loss ${losses[i]}`));
  });
});
