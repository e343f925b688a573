import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeProject, temporaryFolder, writeTfjs } from '../test/fake-wheel.js';
import { addCommand, addTfjsNode, findProject, findTfjsNode, findTfjsNodes } from './project.js';

describe('findProject', () => {
  it('is the nearest folder upward with a package.json', () => {
    const project = fakeProject();
    mkdirSync(join(project, 'src/deep'), { recursive: true });
    expect(findProject(join(project, 'src/deep'))).toBe(project);
  });

  it('says what to do outside of a project', () => {
    expect(() => findProject('/')).toThrow(/no package\.json in \/ or above it.*npm init -y/);
  });
});

describe('findTfjsNode', () => {
  it('prefers the package for GPUs and finds one of an outer folder', () => {
    const project = fakeProject({ tfjs: false });
    expect(findTfjsNode(project)).toBeNull();
    writeTfjs(project, '@tensorflow/tfjs-node');
    expect(findTfjsNode(project)?.name).toBe('@tensorflow/tfjs-node');
    const folder = writeTfjs(project);
    expect(findTfjsNode(join(project, 'packages/inner'))).toEqual({
      name: '@tensorflow/tfjs-node-gpu',
      folder,
      version: '4.22.0',
    });
    expect(findTfjsNodes(project)).toHaveLength(2);
  });
});

describe('addTfjsNode', () => {
  const request = (project: string, scripts: 'run' | 'skip' = 'skip') =>
    ({ project, name: '@tensorflow/tfjs-node-gpu', scripts }) as const;

  it('adds an optional dependency without its install script', async () => {
    const project = fakeProject({ tfjs: false });
    const calls: string[] = [];
    await addTfjsNode(request(project), (command, args, options) => {
      calls.push([options?.cwd, command, ...args].join(' '));
      return Promise.resolve({ code: 0, stdout: '', stderr: '', startError: null });
    });
    expect(calls).toEqual([
      `${project} npm install --ignore-scripts --prefer-offline --fetch-retries=1 --no-audit --no-fund --save-optional @tensorflow/tfjs-node-gpu@4.22.0`,
    ]);
    expect(addCommand(request(project, 'run')).command).toContain('--ignore-scripts=false');
  });

  it('names the command where another package manager owns the project', async () => {
    for (const [lock, start] of [
      ['pnpm-lock.yaml', 'pnpm add --save-optional --ignore-scripts @tensorflow/'],
      ['yarn.lock', 'yarn add --optional --ignore-scripts @tensorflow/'],
      ['bun.lock', 'bun add --optional --ignore-scripts @tensorflow/'],
    ] as const) {
      const project = temporaryFolder();
      writeFileSync(join(project, lock), '');
      await expect(
        addTfjsNode(request(join(project, 'packages/one')), () =>
          Promise.reject(new Error('nothing may be run')),
        ),
      ).rejects.toMatchObject({ code: 'G2D_NATIVE_NO_TFJS_NODE', message: expect.stringContaining(start) });
    }
  });

  it("shows npm's own words when it fails", async () => {
    const run = () =>
      Promise.resolve({
        code: 1,
        stdout: '',
        stderr: 'npm error code ENOTFOUND\nnpm error network',
        startError: null,
      });
    await expect(addTfjsNode(request(temporaryFolder()), run)).rejects.toThrow(
      /failed: npm error code ENOTFOUND/,
    );
  });
});
