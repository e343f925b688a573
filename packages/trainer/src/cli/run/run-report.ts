import type { RunFolder } from '../../node/run-folder.js';

/** Placeholder until the page exists. */
export async function writeRunReport(_folder: RunFolder, _command?: string): Promise<string | undefined> {
  return undefined;
}
