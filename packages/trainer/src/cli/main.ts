import { G2DError, OptionError } from '@g2d/tensor-ops';
import type { Command, Output } from './command.js';

/** The commands. Each is loaded when it is called, so that `--help` needs no TensorFlow. */
const commands: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  train: {
    summary: 'trains one model, in a folder that survives anything',
    load: async () => (await import('./run/train.js')).trainCommand,
  },
  evaluate: {
    summary: 'measures a run again, from a checkpoint',
    load: async () => (await import('./run/evaluate.js')).evaluateCommand,
  },
  report: {
    summary: 'the page of one run',
    load: async () => (await import('./run/report.js')).reportCommand,
  },
  compare: {
    summary: 'several runs in one table and on one page',
    load: async () => (await import('./run/compare.js')).compareCommand,
  },
  export: {
    summary: 'a model for plain TensorFlow.js, in Node or a browser',
    load: async () => (await import('./run/export.js')).exportCommand,
  },
  parity: {
    summary: 'runs parity cases: our numbers next to those of the PyTorch implementation',
    load: async () => (await import('./parity.js')).parity,
  },
  bench: {
    summary: "one training step at a dataset's shapes: milliseconds, peak memory",
    load: async () => (await import('./bench.js')).bench,
  },
  'bench data': {
    summary: 'samples a second that reading and decoding deliver, next to what a step takes',
    load: async () => (await import('./data/bench.js')).benchData,
  },
  'data check': {
    summary: "what is in a dataset's folder, what is missing or broken, how to get it",
    load: async () => (await import('./data/check.js')).dataCheck,
  },
  'data tensor': {
    summary: "one sample's tensors as .npy",
    load: async () => (await import('./data/tensor.js')).dataTensor,
  },
  'data show': {
    summary: 'one sample as a page to look at and to listen to',
    load: async () => (await import('./data/show.js')).dataShow,
  },
  'data prepare': {
    summary: 'frames and sound from the original videos',
    load: async () => (await import('./data/prepare.js')).dataPrepare,
  },
};

const names = (): readonly string[] => Object.keys(commands);

/** @param group Only the commands that begin with this word. Default: all. */
const help = (group = ''): string => `Usage: g2d <command> [options]

Commands:
${Object.entries(commands)
  .filter(([name]) => group === '' || name.startsWith(`${group} `))
  .map(([name, { summary }]) => `  ${name.padEnd(12)}  ${summary}`)
  .join('\n')}

g2d <command> --help explains a command and its options.
`;

/**
 * Runs a command line.
 *
 * @returns The exit code: 0; 1 if the result is not good, or for a fault of ours; 2 for a mistake of the user's: a wrong
 * command line, or files that cannot be used.
 */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const [first, second] = args;
  if (first === undefined || ['--help', '-h', 'help'].includes(first)) {
    output[first === undefined ? 'err' : 'out'](help());
    return first === undefined ? 2 : 0;
  }
  // A command has one word, or two.
  const pair = `${first} ${second}`;
  const name = Object.hasOwn(commands, pair) ? pair : first;
  const rest = args.slice(name === pair ? 2 : 1);
  const isGroup = !Object.hasOwn(commands, name) && names().some((known) => known.startsWith(`${name} `));
  if (isGroup && (second === undefined || second === '--help' || second === '-h')) {
    output[second === undefined ? 'err' : 'out'](help(name));
    return second === undefined ? 2 : 0;
  }
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  try {
    const command = Object.hasOwn(commands, name) ? await commands[name]?.load() : undefined;
    if (!command) {
      throw new OptionError(
        `There is no command "${isGroup ? pair : name}"; the commands are ${names().join(', ')}.`,
        {
          option: 'command',
          value: name,
          accepted: names().join(', '),
        },
      );
    }
    if (options.includes('--help') || options.includes('-h')) {
      output.out(command.help);
      return 0;
    }
    return await command.run(rest, output);
  } catch (error) {
    return report(error, name, options.includes('--json'), output);
  }
}

function report(error: unknown, command: string, json: boolean, { out, err }: Output): number {
  const { code, message, details } = describe(error, command);
  if (json) out(`${JSON.stringify({ error: { code, message, details } })}\n`);
  err(`g2d: ${message}\n`);
  if (code !== INTERNAL) return 2;
  // An error without a code is a fault of ours: whoever reports it needs its trace.
  err(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

const INTERNAL = 'G2D_INTERNAL';

function describe(
  error: unknown,
  command: string,
): { code: string; message: string; details: Readonly<Record<string, unknown>> } {
  if (G2DError.isInstance(error)) return error;
  const { code, message, details } = error as { code?: unknown; message?: unknown; details?: object };
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
    // Only its first sentence: the others are about positional arguments that begin with a dash.
    const problem = String(message).split('. ')[0];
    return { code: 'G2D_OPTION', message: `${problem}; see g2d ${command} --help.`, details: {} };
  }
  // What @g2d/native throws, for example that a backend is missing.
  if (typeof code === 'string' && code.startsWith('G2D_')) {
    return { code, message: String(message), details: { ...details } };
  }
  // A file or folder that cannot be read or written: the system's own sentence says which.
  if (typeof code === 'string' && 'syscall' in (error as object)) {
    return { code: 'G2D_FILE', message: `${String(message)}.`, details: {} };
  }
  return { code: INTERNAL, message: String(message ?? error).split('\n')[0] as string, details: {} };
}

/** Runs the process's own command line. */
export async function runProcess(): Promise<void> {
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
}
