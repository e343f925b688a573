// Algorithm 1 as a reader would run it, with two epochs.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const script = join(import.meta.dirname, 'main.ts');

describe('quickstart', () => {
  it('trains the teachers, then the image alone, then both', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@g2d/source', '--import', 'tsx', script, '2'],
      { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    // After two epochs the audio teacher is the surer one already.
    expect(lines[0]).toMatch(/^epoch 1: κ \{"audio":0,"image":1\}, test \d/);
    expect(lines[1]).toMatch(/^epoch 2: κ \{"audio":1,"image":1\}, test \d/);
  });

  it('stays short enough to be read at once', () => {
    expect(readFileSync(script, 'utf8').trimEnd().split('\n').length).toBeLessThan(60);
  });
});
