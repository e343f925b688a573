import { OptionError } from '@g2d/core';
import { isFolder } from '@g2d/formats/node';
import { readPlan, readSweep, type SweepPlan } from '@g2d/runs';
import { required } from '../data/arguments.js';

/** @throws {OptionError} Unless there is one word. */
export function onlyWord(name: string, words: readonly string[], what: string): string {
  const word = required(name, words[0], what);
  if (words.length <= 1) return word;
  throw new OptionError(`"${words[1]}" is one argument too many; it takes one ${name}.`, {
    option: name,
    value: words[1],
    accepted: what,
  });
}

/** The plan of a sweep that has begun, from its folder or its file. */
export function beganPlan(path: string): SweepPlan {
  if (isFolder(path)) return readPlan(path);
  return readPlan(readSweep(path).out);
}
