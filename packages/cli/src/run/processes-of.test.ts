import { describe, expect, it } from 'vitest';
import { processesOf } from './processes-of.js';

const launch = { rank: 1, processes: 4, start: 'a', addresses: undefined, host: undefined };

describe('processesOf', () => {
  it('is one, what was asked for, or what was started', () => {
    expect([processesOf(undefined, undefined), processesOf('2', undefined)]).toEqual([1, 2]);
    expect([processesOf(undefined, launch), processesOf('4', launch)]).toEqual([4, 4]);
  });

  it.each([
    ['two', undefined, '--processes is "two"; it must be a whole number from 1 to 1024.'],
    ['0', undefined, '--processes is "0"; it must be'],
    [
      '2',
      launch,
      '--processes is 2, but this is process 1 of 4 that were started already. Leave --processes out.',
    ],
  ])('refuses %s', (text, started, message) => {
    expect(() => processesOf(text, started)).toThrow(message);
  });
});
