import { NativeError } from './errors.js';
import type { TfjsNode } from './project.js';
import { runCommand, type RunCommand } from './run-command.js';

/** What a working installation says of itself. */
export interface SelfTest {
  /** TensorFlow's version, as the library gives it. */
  readonly tensorflow: string;
  readonly device: 'cpu' | 'gpu';
}

interface Answer {
  readonly tensorflow: string;
  readonly gpu: boolean;
  readonly y: readonly number[];
  readonly dx: readonly number[];
  readonly dw: readonly number[];
}

// x = 1…9 as a 3×3 image, w = [[1, 2], [3, 4]], a 2×2 convolution without padding, and the gradients of the sum of its
// output: dx counts each weight where it touched the pixel, dw sums the pixels under each weight.
const expected = {
  y: [37, 47, 67, 77],
  dx: [1, 3, 2, 4, 10, 6, 3, 7, 4],
  dw: [12, 16, 24, 28],
};

const program = (folder: string) => `
  const util = require('node:util');
  util.isNullOrUndefined = (value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const tf = require(${JSON.stringify(folder)});
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const w = tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1]);
  const convolve = (x, w) => tf.conv2d(x, w, 1, 'valid');
  const [dx, dw] = tf.grads((x, w) => convolve(x, w).sum())([x, w]);
  const backend = tf.backend();
  console.log('\\n' + JSON.stringify({
    tensorflow: backend.binding.TF_Version, gpu: backend.isUsingGpuDevice,
    y: [...convolve(x, w).dataSync()], dx: [...dx.dataSync()], dw: [...dw.dataSync()],
  }));`;

/**
 * Loads the add-on in a child process and computes a convolution and its gradients. A crash of the library therefore
 * cannot take the caller with it.
 *
 * @throws {NativeError} `G2D_NATIVE_SELF_TEST` with what came instead of the expected numbers.
 */
export async function selfTest(
  tfjs: TfjsNode,
  options: { run?: RunCommand; signal?: AbortSignal | undefined; node?: string } = {},
): Promise<SelfTest> {
  const { run = runCommand, signal, node = process.execPath } = options;
  const result = await run(node, ['-e', program(tfjs.folder)], {
    // Beside a run that has a GPU already: no more of its memory than the test needs.
    env: {
      TF_CPP_MIN_LOG_LEVEL: '3',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      ...process.env,
      NODE_OPTIONS: '',
    },
    signal,
    // A GPU of a generation newer than the library compiles its kernels first, which can take minutes.
    timeoutMs: 600_000,
  });
  const answer = parse(result.stdout);
  if (!answer) {
    const lines = result.stderr.split('\n').filter((line) => /Error|error|terminate|cannot/.test(line));
    const why = lines[0]?.trim() ?? (result.code === null ? 'the process died' : 'it printed nothing');
    throw new NativeError(
      'G2D_NATIVE_SELF_TEST',
      `TensorFlow was put in place, but it does not load: ${why}. Run npx g2d-native doctor to see what is missing.`,
      { why, stderr: result.stderr.slice(-4000), code: result.code },
    );
  }
  for (const key of ['y', 'dx', 'dw'] as const) {
    const wanted = expected[key];
    const wrong =
      wanted.length !== answer[key].length ||
      wanted.some((value, i) => Math.abs(value - answer[key][i]!) > 1e-4);
    if (!wrong) continue;
    throw new NativeError(
      'G2D_NATIVE_SELF_TEST',
      `TensorFlow loads, but the self-test's convolution is wrong: ${key} should be [${wanted.join(', ')}], but it is ` +
        `[${answer[key].join(', ')}]. Please report this with the output of npx g2d-native doctor.`,
      { key, expected: wanted, actual: answer[key] },
    );
  }
  return { tensorflow: answer.tensorflow, device: answer.gpu ? 'gpu' : 'cpu' };
}

function parse(stdout: string): Answer | null {
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer;
  } catch {
    return null;
  }
}
