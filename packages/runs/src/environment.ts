import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, cpus, platform } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { runtimeInfo } from '@g2d/native';

/** What a run's numbers depend on beside its settings. */
export interface Environment {
  readonly backend: string;
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the repository around the current folder, with `+` behind it if files were changed; `null` outside of one. */
  readonly gitCommit: string | null;
  readonly host: {
    readonly platform: string;
    readonly arch: string;
    readonly cpus: number;
    readonly cpu: string;
  };
}

/** Describes this process, once a backend is chosen. */
export function describeEnvironment(): Environment {
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

function gitCommit(): string | null {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', timeout: 5000 });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', 'HEAD');
  if (commit === undefined) return null;
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
}
