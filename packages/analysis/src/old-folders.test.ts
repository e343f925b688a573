// Run folders that an earlier version wrote open as they did.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readRun, readStartedRun } from './read-run.js';

const version1 = fileURLToPath(new URL('../../runs/test/fixtures/version-1', import.meta.url));
const json = (...path: string[]) => JSON.parse(readFileSync(join(version1, ...path), 'utf8'));

describe('run folders of version 1', () => {
  it.each(['joint', 'g2d', 'teacher-loud', 'teacher-quiet'])('open: %s', (name) => {
    const run = readRun(join(version1, name));
    expect(run.config).toMatchObject(json(name, 'config.json'));
    const { test, validation, confusion, metrics, perClass, stages } = json(name, 'summary.json');
    expect(run.summary).toMatchObject({ test, validation, confusion, metrics, perClass, stages });
    const lines = readFileSync(join(version1, name, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(run.metrics).toEqual(lines.map((line) => JSON.parse(line)));
    expect(run.predictions).toEqual(json(name, 'predictions.json'));
  });

  it('open with their teachers, finished or stopped', () => {
    const run = readStartedRun(join(version1, 'g2d-stopped'));
    expect(run.summary).toBeUndefined();
    expect(run.metrics.map(({ epoch }) => epoch)).toEqual([1]);
    expect(run.teachers?.['quiet']?.summary?.test).toEqual(json('teacher-quiet', 'summary.json').test);
    expect(() => readRun(join(version1, 'g2d-stopped'))).toThrow(
      /summary\.json: is missing: this run is not finished/,
    );
  });
});
