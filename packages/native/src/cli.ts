import { parseArgs } from 'node:util';
import { describeReport, doctor } from './doctor.js';
import { firstLine, NativeError } from './errors.js';
import { install, type InstallReport } from './install.js';
import { terminalProgress } from './progress.js';
import { defaultVersion } from './wheels.js';

const help = {
  general: `Usage: g2d-native <command> [options]

Puts TensorFlow under @tensorflow/tfjs-node-gpu, from the Python package index.

Commands:
  install   download, build, link and test what is missing
  doctor    what is here, what works, what to do next

g2d-native <command> --help shows a command's options.
`,
  install: `Usage: g2d-native install [options]

Takes TensorFlow's library out of its Python wheel into a cache that projects share, builds the add-on, links both into
the project's @tensorflow/tfjs-node-gpu (added if it is missing) and tests them. A second call changes nothing.

Options:
  --cpu           the build for processors (default)
  --gpu           the CUDA 12 build with NVIDIA's libraries, 2.5 GB to download; Linux x64
  --version V     a TensorFlow release (default ${defaultVersion}, the tested one)
  --dir D         the cache folder (default $G2D_CACHE_DIR, else ~/.cache/g2d-native)
  --project P     a folder in the project (default: the current folder)
  --wheel FILE    use this wheel instead of downloading one
  --build         compile the add-on and the kernels also where there are prebuilt ones
  --verify        compare every file of the library with its hash, and run the self-test again
  --json          print the result as one JSON object
  --help          this text
`,
  doctor: `Usage: g2d-native doctor [options]

Says what is on this machine, what works and what to do next. Changes nothing.

Options:
  --dir D         the cache folder (default $G2D_CACHE_DIR, else ~/.cache/g2d-native)
  --project P     a folder in the project (default: the current folder)
  --json          print the result as one JSON object
  --help          this text
`,
};

const options = {
  install: {
    cpu: { type: 'boolean' },
    gpu: { type: 'boolean' },
    version: { type: 'string' },
    dir: { type: 'string' },
    project: { type: 'string' },
    wheel: { type: 'string' },
    build: { type: 'boolean' },
    verify: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
  doctor: {
    dir: { type: 'string' },
    project: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;

/** Runs a command line and gives the exit code: 0, 1 for an error, 2 for a wrong command line, 130 when interrupted. */
export async function main(args: readonly string[], signal?: AbortSignal): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(help.general);
    return command === undefined ? 2 : 0;
  }
  if (command !== 'install' && command !== 'doctor') {
    process.stderr.write(`g2d-native: unknown command "${command}"; the commands are install and doctor.\n`);
    return 2;
  }
  const json = rest.includes('--json');
  try {
    return command === 'install' ? await runInstall(rest, signal) : await runDoctor(rest);
  } catch (error) {
    return report(error, json);
  }
}

async function runInstall(args: readonly string[], signal?: AbortSignal): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: options.install });
  if (values.help) {
    process.stdout.write(help.install);
    return 0;
  }
  if (values.cpu && values.gpu) {
    throw new NativeError('G2D_NATIVE_OPTION', 'Give --cpu or --gpu, not both.', { option: 'gpu' });
  }
  const { version, dir, project, wheel } = values;
  const result = await install({
    variant: values.gpu ? 'gpu' : 'cpu',
    build: values.build ?? false,
    verify: values.verify ?? false,
    progress: terminalProgress(),
    ...(version === undefined ? {} : { version }),
    ...(dir === undefined ? {} : { dir }),
    ...(project === undefined ? {} : { project }),
    ...(wheel === undefined ? {} : { wheel }),
    ...(signal === undefined ? {} : { signal }),
  });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${summary(result)}\n`);
  return 0;
}

function summary(result: InstallReport): string {
  if (result.backend === 'wasm')
    return 'TensorFlow is not available on this platform; loadTensorFlow() uses WebAssembly.';
  const what = `TensorFlow ${result.tensorflow} (${result.device === 'gpu' ? 'GPU' : 'CPU'})`;
  const state =
    result.status === 'unchanged' ? 'was installed already' : 'is installed and computes correctly';
  return `${what} ${state}: ${result.package} (${result.seconds.toFixed(1)} s)`;
}

async function runDoctor(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: options.doctor });
  if (values.help) {
    process.stdout.write(help.doctor);
    return 0;
  }
  const { dir, project } = values;
  const result = await doctor({
    ...(dir === undefined ? {} : { dir }),
    ...(project === undefined ? {} : { project }),
  });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : describeReport(result));
  return result.backend === 'tensorflow' ? 0 : 1;
}

function report(error: unknown, json: boolean): number {
  const wrongCommandLine = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  const code = wrongCommandLine
    ? 'G2D_NATIVE_OPTION'
    : NativeError.isInstance(error)
      ? error.code
      : 'G2D_NATIVE_INTERNAL';
  const details = NativeError.isInstance(error) ? error.details : {};
  const message = NativeError.isInstance(error) ? error.message : firstLine(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  process.stderr.write(`g2d-native: ${message}\n`);
  // An error without a code is a fault of ours: whoever reports it needs its trace.
  if (code === 'G2D_NATIVE_INTERNAL' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (wrongCommandLine || code === 'G2D_NATIVE_OPTION') return 2;
  return code === 'G2D_NATIVE_INTERRUPTED' ? 130 : 1;
}

/** Runs the process's own command line. The first Ctrl-C stops the work and clears up; the second ends at once. */
export async function runProcess(): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  process.exitCode = await main(process.argv.slice(2), controller.signal);
}
