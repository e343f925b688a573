import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeProject, temporaryFolder, writeTfjs } from '../test/fake-wheel.js';
import { rightAnswer } from '../test/right-answer.js';
import { describeReport, doctor, type DoctorReport } from './doctor.js';
import { bindingFile, linkFile } from './place.js';
import { findTfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';

const linux = { platform: 'linux', arch: 'x64', musl: false };
const nothingRuns: RunCommand = () =>
  Promise.resolve({ code: null, stdout: '', stderr: '', startError: 'ENOENT' });
const found = (report: DoctorReport, name: string) => report.findings.find((one) => one.name === name);

describe('doctor', () => {
  it('finds a working TensorFlow here, with every hash right', async () => {
    const report = await doctor();
    expect(report.backend).toBe('tensorflow');
    expect(report.next).toEqual([]);
    expect(found(report, 'library')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('every hash is right'),
    });
    expect(found(report, 'owners')).toMatchObject({ status: 'ok' });
    expect(found(report, 'self-test')).toMatchObject({ status: 'ok' });
    expect(found(report, 'kernels')).toMatchObject({ status: 'ok' });
    expect(found(report, 'wasm')).toMatchObject({ status: 'ok' });
    expect(describeReport(report)).toMatch(
      /loadTensorFlow\(\) uses: tensorflow \([CG]PU\)\nNothing to do\.\n$/,
    );
  });

  it('names what is missing on a bare machine and what to do, in order', async () => {
    const report = await doctor({
      host: linux,
      project: fakeProject({ tfjs: false }),
      dir: temporaryFolder(),
      run: nothingRuns,
    });
    expect(report.backend).toBe('wasm');
    expect(found(report, 'pip')).toMatchObject({ status: 'problem' });
    expect(found(report, 'compiler')).toMatchObject({ status: 'problem' });
    expect(report.next).toEqual([
      expect.stringMatching(/^Set PIP_INDEX_URL .*; or install pip$/),
      expect.stringMatching(/^Install a C\+\+ compiler/),
      'npx g2d-native install',
    ]);
    expect(describeReport(report)).toMatch(/PROBLEM compiler .*\n +→ Install a C/);
  });

  it('says when the package is there without a library', async () => {
    const report = await doctor({ host: linux, project: fakeProject() });
    expect(found(report, 'library')).toMatchObject({ status: 'problem', found: 'not installed' });
    expect(report.next).toContain('npx g2d-native install');
  });

  it('finds an incomplete library and one that does not load', async () => {
    const project = fakeProject();
    const tfjs = findTfjsNode(project)!;
    writeTfjs(project);
    const record = join(tfjs.folder, 'lib/napi-v8');
    mkdirSync(record, { recursive: true });
    mkdirSync(linkFile(tfjs));
    writeFileSync(join(record, 'g2d-native.json'), '{ "format": 1 }');
    const report = await doctor({ host: linux, project });
    expect(found(report, 'library')).toMatchObject({ status: 'problem', found: 'incomplete' });
    expect(found(report, 'self-test')).toMatchObject({ status: 'problem' });
    expect(report.backend).toBe('wasm');
  });

  it('looks for a GPU where the CUDA build is installed, and advises to repair that one', async () => {
    const project = fakeProject();
    const tfjs = findTfjsNode(project)!;
    mkdirSync(dirname(bindingFile(tfjs)), { recursive: true });
    mkdirSync(linkFile(tfjs));
    writeFileSync(
      join(dirname(bindingFile(tfjs)), 'g2d-native.json'),
      '{ "format": 1, "variant": "gpu", "tested": [] }',
    );
    const run: RunCommand = (command, args) =>
      Promise.resolve({
        code: args[0] === '-e' ? 0 : null,
        stdout: args[0] === '-e' ? JSON.stringify({ tensorflow: '2.21.0', ...rightAnswer }) : '',
        stderr: '',
        startError: null,
      });
    const report = await doctor({ host: linux, project, run, env: { CUDA_VISIBLE_DEVICES: '-1' } });
    expect(report).toMatchObject({ backend: 'tensorflow', device: 'cpu' });
    expect(found(report, 'gpu libraries')).toMatchObject({
      status: 'note',
      found: expect.stringContaining(`looked for in ${join(realpathSync(linkFile(tfjs)), 'nvidia')})`),
    });
    expect(found(report, 'gpu choice')).toMatchObject({ status: 'note' });
    expect(found(report, 'nvidia driver')?.advice).not.toMatch(/install --gpu/);
    expect(found(report, 'kernels')).toBeUndefined();
    // What keeps a GPU from being used is not in the way of TensorFlow.
    expect(report.next).toEqual(['npx g2d-native install --gpu']);
  });

  it('explains other platforms and a folder that is no project', async () => {
    const musl = await doctor({ host: { ...linux, musl: true }, project: fakeProject(), run: nothingRuns });
    expect(found(musl, 'platform')?.advice).toMatch(/needs glibc/);
    expect(found(musl, 'pip')?.status).toBe('note');
    const mac = await doctor({
      host: { platform: 'darwin', arch: 'arm64', musl: false },
      project: fakeProject(),
      run: nothingRuns,
    });
    expect(found(mac, 'platform')).toMatchObject({
      status: 'note',
      found: expect.stringMatching(/^macOS arm64, .*never tried/),
      advice: expect.stringMatching(/tfjs-node's own installation is tried, then WebAssembly/),
    });
    const other = await doctor({
      host: { platform: 'darwin', arch: 'x64', musl: false },
      project: fakeProject(),
      run: nothingRuns,
    });
    expect(found(other, 'platform')?.advice).toMatch(
      /no usable wheel.*tfjs-node's own installation is tried, then WebAssembly/,
    );
    const outside = await doctor({ host: linux, project: '/' });
    expect(found(outside, 'project')?.advice).toMatch(/npm init -y/);
  });
});
