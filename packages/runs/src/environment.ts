import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, cpus, platform } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { RunEnvironment } from '@g2d/core/run-folder';
import { runtimeInfo } from '@g2d/native';
import { withAbsolutePath } from './node/absolute-path.js';

/**
 * Describes this process, once a backend is chosen.
 *
 * @param processes How many train together.
 */
export function describeEnvironment(processes = 1): RunEnvironment {
  const { backend = tf.getBackend(), tensorflow = null, device = 'cpu' } = runtimeInfo() ?? {};
  const { version } = createRequire(import.meta.url)('@g2d/runs/package.json') as { version: string };
  return {
    backend,
    device,
    versions: {
      g2d: version,
      tfjs: tf.version_core,
      ...(tensorflow !== null && { tensorflow }),
      node: process.version.slice(1),
    },
    ...(processes > 1 && { processes }),
    gitCommit: gitCommit(process.cwd()),
    host: { platform: platform(), arch: arch(), cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' },
  };
}

/**
 * One sentence with both sides, if a run goes on elsewhere than where it began, as far as that can change a bit of its numbers.
 *
 * @param before As the run recorded it.
 */
export function movedFrom(before: RunEnvironment, now: RunEnvironment): string | undefined {
  const [then, here] = [before, now].map(partsOf) as [Parts, Parts];
  const keys = [...new Set([...Object.keys(then), ...Object.keys(here)])].filter(
    // Earlier versions recorded less.
    (key) => then[key] !== here[key] && (Object.hasOwn(then, key) || key === 'tensorflow'),
  );
  if (keys.length === 0) return undefined;
  const words = (parts: Parts): string => keys.map((key) => `${key} ${parts[key] ?? 'none'}`).join(', ');
  return `The run began with ${words(then)}, and goes on with ${words(here)}: its numbers will not be, bit for bit, those of one that was never stopped.`;
}

type Parts = Readonly<Record<string, string>>;

function partsOf({
  backend,
  device,
  processes = 1,
  versions = {},
  host,
}: RunEnvironment & { readonly host?: unknown }): Parts {
  const { platform, arch, cpu } = (host ?? {}) as Readonly<Record<string, string>>;
  const parts = { backend, device, processes: String(processes), ...versions, platform, arch, cpu };
  return Object.fromEntries(
    Object.entries(parts).filter((part): part is [string, string] => typeof part[1] === 'string'),
  );
}

// In a repository's own settings there can be programs that git starts, and `git` itself is not looked for in the current folder.
const QUIET = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath='];

/**
 * By folder. Asked once: to start a program takes a third of a second where this one has a few gigabytes, and what was loaded
 * is what was there at the start.
 */
const commits = new Map<string, string | null>();

function gitCommit(folder: string): string | null {
  const known = commits.get(folder);
  if (known !== undefined) return known;
  const found = askForCommit(folder);
  commits.set(folder, found);
  return found;
}

function askForCommit(cwd: string): string | null {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', [...QUIET, ...args], {
      encoding: 'utf8',
      timeout: 5000,
      cwd,
      env: withAbsolutePath(process.env),
    });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', 'HEAD');
  if (commit === undefined) return null;
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
}
