import { describe, expect, it } from 'vitest';
import { terminalProgress } from './progress.js';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return {
    written,
    isTTY,
    write: (text: string) => written.push(text) > 0,
    // What a bar asks of a terminal.
    columns: 80,
    on() {},
    clearLine() {},
    cursorTo() {},
    moveCursor() {},
  };
}

describe('terminalProgress', () => {
  it('writes a line per stage and one every ten seconds where there is no terminal', () => {
    const out = stream(false);
    let now = 0;
    const progress = terminalProgress(out, () => now);
    progress.stage('Downloading', 274_000_000);
    for (now = 1_000; now <= 21_000; now += 1_000) progress.bytes(now * 10_000);
    progress.note('A note');
    progress.end();
    expect(out.written).toEqual([
      'Downloading (274 MB)\n',
      'Downloading: 100 MB of 274 MB\n',
      'Downloading: 200 MB of 274 MB\n',
      'A note\n',
    ]);
  });

  it('draws a bar on a terminal', () => {
    const out = stream(true);
    const progress = terminalProgress(out);
    progress.stage('Unpacking', 1_000_000);
    progress.bytes(500_000);
    progress.bytes(2_000_000);
    progress.stage('Building', null);
    progress.end();
    const text = out.written.join('');
    expect(text).toContain('Unpacking');
    expect(text).toContain('100 %');
    expect(text).toContain('Building\n');
  });
});
