import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { NativeError } from './errors.js';
import { runCommand, type RunCommand } from './run-command.js';

/** The TensorFlow.js version whose add-on was built and tested here. */
export const tfjsVersion = '4.22.0';

/** A `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node` that a project resolves. */
export interface TfjsNode {
  readonly name: '@tensorflow/tfjs-node-gpu' | '@tensorflow/tfjs-node';
  readonly folder: string;
  readonly version: string;
}

/**
 * The project a folder belongs to: the nearest folder upward with a `package.json`.
 *
 * @throws {NativeError} `G2D_NATIVE_NO_PROJECT`
 */
export function findProject(start: string = process.cwd()): string {
  let folder = resolve(start);
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new NativeError(
        'G2D_NATIVE_NO_PROJECT',
        `There is no package.json in ${resolve(start)} or above it. Run this inside a project, or make one with npm init -y.`,
        { start: resolve(start) },
      );
    }
    folder = parent;
  }
  return folder;
}

/**
 * The TensorFlow.js packages for Node that a folder would load, the one for GPUs first. By Node's own resolution, so a
 * package that was hoisted to a workspace root is found.
 */
export function findTfjsNodes(folder: string): TfjsNode[] {
  const require = createRequire(join(folder, 'package.json'));
  return (['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const).flatMap((name) => {
    try {
      const file = require.resolve(`${name}/package.json`);
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
      return [{ name, folder: dirname(file), version }];
    } catch {
      return [];
    }
  });
}

/** The first of {@link findTfjsNodes}, or null. */
export function findTfjsNode(project: string): TfjsNode | null {
  return findTfjsNodes(project)[0] ?? null;
}

/** Adds a TensorFlow.js package for Node to a project as an optional dependency. */
export interface AddTfjsNode {
  readonly project: string;
  readonly name: TfjsNode['name'];
  /** Whether the package's own install script runs: only where our way does not work. */
  readonly scripts: 'run' | 'skip';
}

const lockFiles = {
  'package-lock.json': 'npm',
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
} as const;

/** Whose lock file is nearest, upward from the project: in a workspace it lies at the root. */
function packageManager(project: string): (typeof lockFiles)[keyof typeof lockFiles] {
  for (let folder = resolve(project); ; folder = dirname(folder)) {
    for (const [file, manager] of Object.entries(lockFiles)) {
      if (existsSync(join(folder, file))) return manager;
    }
    if (folder === dirname(folder)) return 'npm';
  }
}

/**
 * The command that adds the package with the project's package manager. Optional, because npm then goes on when the
 * package's own install script fails.
 */
export function addCommand({ project, name, scripts }: AddTfjsNode): { manager: string; command: string[] } {
  const spec = `${name}@${tfjsVersion}`;
  const skip = scripts === 'skip';
  const manager = packageManager(project);
  if (manager !== 'npm') {
    const optional = manager === 'pnpm' ? '--save-optional' : '--optional';
    return { manager, command: [manager, 'add', optional, ...(skip ? ['--ignore-scripts'] : []), spec] };
  }
  const flag = skip ? '--ignore-scripts' : '--ignore-scripts=false';
  return {
    manager,
    // What npm has in its own cache needs no network; without one it fails in seconds, not minutes.
    command: [
      'npm',
      'install',
      flag,
      '--prefer-offline',
      '--fetch-retries=1',
      '--no-audit',
      '--no-fund',
      '--save-optional',
      spec,
    ],
  };
}

/**
 * Runs {@link addCommand}'s command if it is npm's.
 *
 * @throws {NativeError} `G2D_NATIVE_NO_TFJS_NODE` with the command to run, if another package manager owns the project
 *   or npm failed.
 */
export async function addTfjsNode(
  request: AddTfjsNode,
  run: RunCommand = runCommand,
  signal?: AbortSignal,
): Promise<void> {
  const { manager, command } = addCommand(request);
  const line = command.join(' ');
  if (manager !== 'npm') {
    throw new NativeError(
      'G2D_NATIVE_NO_TFJS_NODE',
      `The project ${request.project} does not have ${request.name}, and ${manager} manages its packages. Run "${line}" there, ` +
        'then this command again.',
      { project: request.project, command: line },
    );
  }
  // Windows starts npm only through its shell script.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = await run(npm, command.slice(1), { cwd: request.project, signal });
  if (result.code === 0) return;
  const lines = result.stderr.split('\n').filter((text) => /npm (ERR!|error)/.test(text));
  throw new NativeError(
    'G2D_NATIVE_NO_TFJS_NODE',
    `The project ${request.project} does not have ${request.name}, and "${line}" failed` +
      `${lines[0] ? `: ${lines.slice(0, 2).join(' ')}` : result.startError ? `: ${result.startError}` : ''}. ` +
      'Run it yourself to see why, then this command again.',
    { project: request.project, command: line, stderr: lines.slice(0, 10) },
  );
}
