import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readResult } from './read-result.js';
import { unpackBits } from './run-result.js';

const fixture = resolve(import.meta.dirname, '../../../analysis/fixtures/run-group/g2d');
const root = mkdtempSync(join(tmpdir(), 'g2d-result-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy whose summary is changed. */
function changed(name: string, change: (summary: Record<string, Record<string, unknown>>) => object): string {
  const folder = join(root, name);
  cpSync(fixture, folder, { recursive: true });
  const path = join(folder, 'summary.json');
  const summary = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>;
  writeFileSync(path, JSON.stringify({ ...summary, ...change(summary) }));
  return folder;
}

describe('readResult', () => {
  it('takes scores, answers and where they are from', () => {
    const result = readResult(fixture, 'the key');
    expect(result).toMatchObject({
      key: 'the key',
      kind: 'student',
      method: 'g2d',
      seed: 0,
      epochs: 6,
      select: 'validation-best',
      selectedEpoch: 6,
      seconds: 3.1,
      scores: { test: { fused: { accuracy: 85, macroF1: 83.3 } }, validation: { image: { accuracy: 50.5 } } },
      versions: { g2d: '0.0.0', tfjs: '4.22.0', backend: 'synthetic' },
    });
    // Another Node changes no number, and folders are nobody else's.
    expect(result.versions).not.toHaveProperty('node');
    expect(result.settings).not.toHaveProperty('environment');
    expect(JSON.stringify(result.settings)).not.toContain('nowhere');
    const { count, heads } = result.right as { count: number; heads: Record<string, string> };
    const right = unpackBits(heads['fused'] as string, count)?.filter(Boolean).length ?? 0;
    expect((100 * right) / count).toBe(85);
  });

  it('refuses an accuracy that is not that of the predictions', () => {
    const folder = changed('edited', ({ test }) => ({ test: { ...test, image: 99 } }));
    expect(() => readResult(folder, '')).toThrow(
      /edited\/summary\.json: the accuracy of image is 99\.00, and predictions\.json beside it has 60\.00/,
    );
  });

  it('of masked data checks the fused answer alone: a head has none where its modality is missing', () => {
    const folder = changed('masked', ({ test }) => ({
      test: { ...test, image: 71 },
      missing: { test: 0.4 },
    }));
    expect(Object.keys(readResult(folder, '').right?.heads ?? {})).toEqual(['fused']);
    const edited = changed('both', ({ test }) => ({ test: { ...test, fused: 99 }, missing: { test: 0.4 } }));
    expect(() => readResult(edited, '')).toThrow('the accuracy of fused is 99.00');
  });
});
