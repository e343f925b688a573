import { describe, expect, it } from 'vitest';
import { rightAnswer } from '../test/right-answer.js';
import { findTfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';
import { selfTest } from './self-test.js';

const tfjs = () => findTfjsNode(process.cwd())!;

const answers =
  (stdout: string, stderr = '', code: number | null = 0): RunCommand =>
  () =>
    Promise.resolve({ code, stdout, stderr, startError: null });

const right = { tensorflow: '2.21.0', ...rightAnswer };

describe('selfTest', () => {
  it('passes on the TensorFlow that is installed here', async () => {
    expect(await selfTest(tfjs())).toEqual({
      tensorflow: expect.stringMatching(/^2\.\d+\.\d+$/),
      device: expect.any(String),
    });
  });

  it('accepts the right numbers and names the device', async () => {
    const run = answers(`noise\n${JSON.stringify({ ...right, gpu: true })}\n`);
    expect(await selfTest(tfjs(), { run })).toEqual({ tensorflow: '2.21.0', device: 'gpu' });
  });

  it('shows wrong numbers beside the right ones', async () => {
    const run = answers(JSON.stringify({ ...right, dw: [12, 16, 24, 0] }));
    await expect(selfTest(tfjs(), { run })).rejects.toMatchObject({
      code: 'G2D_NATIVE_SELF_TEST',
      message: expect.stringMatching(/dw should be \[12, 16, 24, 28\], but it is \[12, 16, 24, 0\]/),
    });
  });

  it('shows why the library does not load, and survives its crash', async () => {
    const stderr = 'node:internal\nError: libtensorflow_cc.so.2: cannot open shared object file\n    at x';
    await expect(selfTest(tfjs(), { run: answers('', stderr, 1) })).rejects.toThrow(
      /libtensorflow_cc\.so\.2: cannot open/,
    );
    await expect(selfTest(tfjs(), { run: answers('', '', null) })).rejects.toThrow(/the process died/);
  });
});
