import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, cpus, platform } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { RunEnvironment } from '@g2d/core/run-folder';
import { runtimeInfo } from '@g2d/native';
import { withAbsolutePath } from './node/absolute-path.js';

/** Describes this process, once a backend is chosen. */
export function describeEnvironment(): RunEnvironment {
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
    gitCommit: gitCommit(),
    host: { platform: platform(), arch: arch(), cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' },
  };
}

// In a repository's own settings there can be programs that git starts, and `git` itself is not looked for in the current folder.
const QUIET = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath='];

function gitCommit(): string | null {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', [...QUIET, ...args], {
      encoding: 'utf8',
      timeout: 5000,
      env: withAbsolutePath(process.env),
    });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', 'HEAD');
  if (commit === undefined) return null;
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
}
