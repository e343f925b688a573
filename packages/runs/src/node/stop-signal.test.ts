import { afterEach, describe, expect, it, vi } from 'vitest';
import { STOPPED, stopCode, stopSignal } from './stop-signal.js';

const said: string[] = [];
let stop: ReturnType<typeof stopSignal>;
const begin = (): AbortSignal => {
  said.length = 0;
  stop = stopSignal((line) => void said.push(line));
  return stop.signal;
};
afterEach(() => {
  stop.dispose();
  vi.restoreAllMocks();
});

describe('stopSignal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('asks to save at %s, whose exit code is %i', (name, code) => {
    const signal = begin();
    expect(signal.aborted).toBe(false);
    process.emit(name, name);
    expect([signal.aborted, signal.reason, stopCode(signal)]).toEqual([true, name, code]);
    expect(STOPPED).toContain(code);
    expect(said).toEqual(['Finishing the step and saving; once more ends at once.']);
  });

  it('ends at once at the second signal, but for a terminal that closes: it says so several times', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    begin();
    for (let count = 0; count < 3; count++) process.emit('SIGHUP', 'SIGHUP');
    expect(exit).not.toHaveBeenCalled();
    process.emit('SIGINT', 'SIGINT');
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('asks before it says so: whoever listens may have gone', () => {
    stop = stopSignal(() => {
      throw new Error('EPIPE');
    });
    expect(() => process.emit('SIGHUP', 'SIGHUP')).toThrow('EPIPE');
    expect(stop.signal.aborted).toBe(true);
  });
});
