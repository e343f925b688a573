import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { markdownTable, writeBetweenMarks } from './markdown.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-markdown-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('markdownTable', () => {
  it('pads every column', () => {
    expect(
      markdownTable([
        ['a', 'ratio'],
        ['CREMA-D', '0.6'],
      ]),
    ).toBe('| a       | ratio |\n| ------- | ----- |\n| CREMA-D | 0.6   |\n');
  });
});

describe('writeBetweenMarks', () => {
  it('replaces what stands between a name’s marks, and nothing else', () => {
    const file = join(folder, 'page.md');
    const page = (text: string) => `# Page\n\n<!-- x -->\n\n${text}\n<!-- end of x -->\n\nend\n`;
    writeFileSync(file, page('old\n'));
    writeBetweenMarks(file, 'x', 'new\n');
    expect(readFileSync(file, 'utf8')).toBe(page('new\n'));
    writeBetweenMarks(file, 'x', 'newer\n');
    expect(readFileSync(file, 'utf8')).toBe(page('newer\n'));
  });

  it('writes nothing where there are no marks', () => {
    const file = join(folder, 'other.md');
    writeFileSync(file, '<!-- x -->\n');
    expect(() => writeBetweenMarks(file, 'x', 'new')).toThrow(
      /has no marks <!-- x --> and <!-- end of x -->/,
    );
    expect(readFileSync(file, 'utf8')).toBe('<!-- x -->\n');
  });
});
