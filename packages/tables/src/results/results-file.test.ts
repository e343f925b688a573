import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { invented } from '../../test/invented.js';
import { planTable } from '../plan/plan-table.js';
import { readResults, writeResults } from './results-file.js';
import { packBits, unpackBits } from './run-result.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-results-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a file of results', () => {
  it('has all runs of the small scale in less than 3 MB, and gives them back', async () => {
    const plan = await planTable(undefined, { scale: 'small' });
    const results = [...invented(plan, ({ seed }) => 61.23456789012345 + seed).values()];
    expect(results.length).toBeGreaterThan(300);
    writeResults(at('a.json'), 'small', results);
    expect(statSync(at('a.json')).size).toBeLessThan(3e6);
    const read = readResults(at('a.json'), 'small');
    const byKey = new Map(read.map((result) => [result.key, result]));
    for (const result of results) expect(byKey.get(result.key)).toEqual(JSON.parse(JSON.stringify(result)));
    // In whatever order they come.
    writeResults(at('b.json'), 'small', results.toReversed());
    expect(readFileSync(at('b.json'))).toEqual(readFileSync(at('a.json')));
  });

  it('of another scale, version or kind is refused in one sentence', async () => {
    const plan = await planTable('table-8', { scale: 'small', seeds: [0] });
    writeResults(at('c.json'), 'small', [...invented(plan, () => 50).values()]);
    expect(() => readResults(at('c.json'), 'paper')).toThrow(
      'has results of the scale small, and this is the scale paper.',
    );
    expect(() => readResults(at('none.json'), 'small')).toThrow('there is no such file.');
    const text = readFileSync(at('c.json'), 'utf8');
    const changed = (from: string | RegExp, to: string): string => {
      writeFileSync(at('d.json'), text.replace(from, to));
      return at('d.json');
    };
    expect(() => readResults(changed('"version": 1', '"version": 2'), 'small')).toThrow('is of version 2');
    expect(() => readResults(changed('g2d-results', 'other'), 'small')).toThrow('is no file of results');
    expect(() => readResults(changed(/"count":100/g, '"count":90'), 'small')).toThrow(
      'one bit for each sample',
    );
    expect(() => readResults(changed('"seed":0', '"seed":-1'), 'small')).toThrow(/`runs\.0\.seed`/);
    expect(() => readResults(changed(/"machine":0/g, '"machine":9'), 'small')).toThrow('does not have');
    expect(() => readResults(changed('{', ''), 'small')).toThrow(/not valid JSON/);
  });
});

describe('packBits', () => {
  it('has the first sample in the lowest bit', () => {
    // 1 + 4 = 5, and the ninth in a byte of its own.
    const right = [true, false, true, false, false, false, false, false, true];
    expect(packBits(right)).toBe(Buffer.from([5, 1]).toString('base64'));
    expect(unpackBits(packBits(right), 9)).toEqual(right);
    expect(unpackBits(packBits(right), 17)).toBeUndefined();
  });
});
