import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createProgress, surviveClosed } from './progress.js';

describe('createProgress', () => {
  it('prints a line when a stage begins, off a terminal', () => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    const progress = createProgress(10, stream);
    progress.stage('data');
    progress.advance(5);
    progress.stage('joint');
    progress.note('a note');
    progress.stop();
    expect((stream as unknown as PassThrough).read().toString()).toBe(
      '[  0 %, 0 s] data\n[ 50 %, 0 s] joint\na note\n',
    );
  });

  it('says how much time is left, by what has been done since the first stage', () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    const progress = createProgress(100, stream);
    // An earlier call did half of it.
    progress.advance(50);
    progress.stage('a');
    progress.advance(10);
    now = 60_000;
    progress.stage('b');
    progress.advance(30);
    progress.stage('c');
    clock.mockRestore();
    expect((stream as unknown as PassThrough).read().toString()).toBe(
      '[ 50 %, 0 s] a\n[ 60 %, 60 s, 4 min left] b\n[ 90 %, 60 s, 15 s left] c\n',
    );
  });

  it('shows what a name from a file would hide, and lives on when nobody reads any more', () => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    const progress = createProgress(10, stream);
    progress.stage('a\n\u001b[2Jb');
    progress.note('one\ntwo\u202e');
    expect((stream as unknown as PassThrough).read().toString()).toBe(
      '[  0 %, 0 s] a\\u000a\\u001b[2Jb\none\ntwo\\u202e\n',
    );
    const failures: string[] = [];
    surviveClosed(stream, ({ message }) => void failures.push(message));
    // Without a listener this would end the process.
    stream.emit('error', new Error('EPIPE'));
    progress.note('on');
    expect(failures).toEqual([]);
    const other = new PassThrough();
    surviveClosed(other, ({ message }) => void failures.push(message));
    for (const name of ['ENOSPC', 'EPIPE']) other.emit('error', new Error(name));
    expect(failures).toEqual(['ENOSPC']);
  });

  it('draws a bar with the stage and the time left on a terminal', () => {
    const written: string[] = [];
    const stream = Object.assign(new PassThrough(), {
      isTTY: true,
      columns: 80,
      rows: 24,
      cursorTo() {},
      moveCursor() {},
      clearLine() {},
      clearScreenDown() {},
    });
    stream.write = ((text: string) => written.push(text) > 0) as never;
    const progress = createProgress(10, stream as unknown as NodeJS.WriteStream);
    progress.stage('joint');
    progress.advance(5);
    progress.stop();
    expect(written.join('')).toMatch(/50 % \| joint \| .* left/);
  });
});
