import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { maskTable, readMask } from './mask-file.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-masks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataset = {
  name: 'clips',
  split: 'test' as const,
  ids: ['a', 'b,"c"', ' d'],
  modalities: ['audio', 'video'] as const,
};
const mask = Uint8Array.of(1, 0, 0, 1, 1, 1);
const file = (text: string): string => {
  const path = join(folder, 'mask.csv');
  writeFileSync(path, text);
  return path;
};

describe('a mask as a table', () => {
  it('is what was written, whatever the ids are', () => {
    const text = maskTable(dataset, mask);
    expect(text).toBe('id,audio,video\na,1,0\n"b,""c""",0,1\n d,1,1\n');
    expect(readMask(file(text), dataset)).toEqual(mask);
  });

  it('is read by ids and names, in any order, with semicolons, and rows of other samples are passed over', () => {
    const text = 'video; id; audio\n1; d;1\n0;z;0\n0;a;1\n1;"b,""c""";0\n'.replace(
      '; id; audio',
      ';id;audio',
    );
    expect(readMask(file(text), dataset)).toEqual(mask);
  });

  it.each([
    ['id,audio\na,1\n', /test split of clips: it has no column "video"; its columns are id, audio\./],
    ['', /it has no column "id"; its columns are none/],
    [
      'id,audio,video\nq,1,1\na,1,1\n',
      /2 of 3 samples are not in it, such as "b,"c""; it has 2, such as "q"\./,
    ],
    ['id,audio,video\na,1,0.5\n', /line 2: "video" is "0\.5", but must be 1 \(present\) or 0 \(missing\)/],
    ['id,audio,video\na,1\n', /line 2: "video" is ""/],
    ['id,audio,video\na,1,1\na,1,0\n', /line 3: the id "a" is there twice/],
  ])('refuses %j', (text, message) => {
    expect(() => readMask(file(text), dataset)).toThrow(message);
  });
});
