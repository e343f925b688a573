import { delimiter, isAbsolute } from 'node:path';

/** An environment in which no program is looked for in the current folder or below it: those of `PATH` have full paths. */
export function withAbsolutePath(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, ...rest } = env;
  const kept = (PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  // An empty one would stand for the current folder; without one the system has its own.
  return kept.length === 0 ? rest : { ...rest, PATH: kept.join(delimiter) };
}
