import { Command as Parser, CommanderError } from 'commander';
import { G2DError, OptionError, printable, shown, ownValue } from '@g2d/core';
import { surviveClosed } from '@g2d/runs/internal';
import { assertValues, describeCommand, problemOf, quiet, readArguments } from './arguments.js';
import { builtIn } from './built-in.js';
import type { Commands, Output } from './command.js';
import { findCommands } from './find-commands.js';

/**
 * Runs a command line.
 *
 * @returns The exit code: 0; 1 if the result is not good, or for a fault of ours; 2 for a mistake of the user's: a wrong
 * command line, or files that cannot be used.
 */
export async function main(args: readonly string[], output: Output): Promise<number> {
  const line = args[0] === 'help' ? ['--help', ...args.slice(1)] : args;
  const commands = await commandsFor(line, output);
  const call = { name: '', code: 0 };
  const program = programOf(commands, { line, output, call });
  const options = line.includes('--') ? line.slice(0, line.indexOf('--')) : line;
  try {
    await program.parseAsync(line, { from: 'user' });
    return call.code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === 'commander.helpDisplayed') return 0;
      // The list of commands, in place of one.
      if (error.code === 'commander.help') return 2;
    }
    return report(explained(error, commands, call.name), options.includes('--json'), output);
  }
}

/** Other packages are looked through only if this one has no such command, or for a list of all. */
async function commandsFor([first = '', second = '']: readonly string[], { err }: Output): Promise<Commands> {
  if (Object.hasOwn(builtIn, first) || Object.hasOwn(builtIn, `${first} ${second}`)) return builtIn;
  const others = await findCommands(process.cwd(), (problem) => err(`${problem}\n`));
  return { ...builtIn, ...others, ...builtIn };
}

/** The command that is called, as soon as that is known, and what became of it. */
interface Call {
  name: string;
  code: number;
}

function programOf(
  commands: Commands,
  { line, output, call }: { readonly line: readonly string[]; readonly output: Output; readonly call: Call },
): Parser {
  const nameOf = (parser: Parser): string =>
    parser.parent?.parent ? `${parser.parent.name()} ${parser.name()}` : parser.name();
  const leaves = (parser: Parser): Parser[] =>
    parser.commands.flatMap((inner) => [
      ...(Object.hasOwn(commands, nameOf(inner)) ? [inner] : []),
      ...leaves(inner),
    ]);
  /** The command that is called gets its options, and what it does, before the rest of the line is read. */
  const load = async (_: Parser, parser: Parser): Promise<void> => {
    call.name = nameOf(parser);
    const command = await ownValue(commands, call.name)?.load();
    if (!command) return;
    describeCommand(parser, command);
    const args = line.slice(call.name.split(' ').length);
    parser.action(async () => {
      assertValues(command.options, args);
      call.code = await command.run({ ...readArguments(parser, command.options), args }, output);
    });
  };

  const program = quiet(new Parser('g2d'))
    .usage('<command> [options]')
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .configureHelp({ visibleCommands: leaves, subcommandTerm: nameOf })
    .addHelpText('afterAll', ({ command }) =>
      command.commands.length > 0 ? '\ng2d <command> --help explains a command and its options.' : '',
    );
  // One tree, whoever brings a command: a first word can be a command, or hold others, or both.
  for (const [name, { summary }] of Object.entries(commands)) {
    let parser = program;
    for (const word of name.split(' ')) {
      parser.enablePositionalOptions();
      parser =
        parser.commands.find((inner) => inner.name() === word) ??
        parser.command(word).usage('<command> [options]');
    }
    parser.summary(summary);
  }
  for (const parser of [program, ...program.commands]) parser.hook('preSubcommand', load);
  return program;
}

/** The parser's errors as ours, in one sentence. */
function explained(error: unknown, commands: Commands, command: string): unknown {
  if (!(error instanceof CommanderError)) return error;
  const problem = problemOf(error);
  const named = (words: string): string => `${command} ${words}`.trim();
  if (error.code !== 'commander.unknownCommand') {
    const details = { option: 'option', value: problem, accepted: 'what --help lists' };
    return new OptionError(`${problem}; see g2d ${named('--help')}.`, details);
  }
  const names = Object.keys(commands).join(', ');
  const name = named(/'(.*)'/.exec(problem)?.[1] ?? '');
  return new OptionError(`There is no command "${name}"; the commands are ${names}.`, {
    option: 'command',
    value: name,
    accepted: names,
  });
}

/** Details as JSON holds them: a wrong value may be a bigint, or an object that holds itself. */
function plain(details: Readonly<Record<string, unknown>>): unknown {
  try {
    JSON.stringify(details);
    return details;
  } catch {
    return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, shown(value)]));
  }
}

function report(error: unknown, json: boolean, { out, err }: Output): number {
  const { code, message, details } = describe(error);
  if (json) out(`${JSON.stringify({ error: { code, message, details: plain(details) } })}\n`);
  err(`g2d: ${message}\n`);
  // To be tried again, by whoever started the processes.
  if (code === 'G2D_PEER_LOST') return 5;
  if (code !== INTERNAL) return 2;
  // An error without a code is a fault of ours: whoever reports it needs its trace.
  err(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

const INTERNAL = 'G2D_INTERNAL';
const NO_FOLDER =
  'The folder in which g2d was started is not there any more. Go to another one (cd), and try again.';

function describe(error: unknown): {
  code: string;
  message: string;
  details: Readonly<Record<string, unknown>>;
} {
  if (G2DError.isInstance(error)) return error;
  const { code, message, details } = error as { code?: unknown; message?: unknown; details?: object };
  // What @g2d/native throws, for example that a backend is missing.
  if (typeof code === 'string' && code.startsWith('G2D_')) {
    return { code, message: String(message), details: { ...details } };
  }
  // A file or folder that cannot be read or written: the system's own sentence says which.
  if (typeof code === 'string' && 'syscall' in (error as object)) {
    if ((error as NodeJS.ErrnoException).syscall === 'uv_cwd') {
      return { code: 'G2D_FILE', message: NO_FOLDER, details: {} };
    }
    return { code: 'G2D_FILE', message: `${String(message)}.`, details: {} };
  }
  return { code: INTERNAL, message: String(message ?? error).split('\n')[0] as string, details: {} };
}

/** Runs the process's own command line. Nothing else writes on the terminal, but for bars of progress. */
export async function runProcess(): Promise<void> {
  // What is trained goes on and is saved, whoever has stopped reading (`2>&1 | head`, a closed terminal).
  surviveClosed(process.stderr);
  let isLost = false;
  surviveClosed(process.stdout, ({ code, message }) => {
    if (code === 'EPIPE') return;
    isLost = true;
    process.stderr.write(`g2d: The result cannot be written to standard output: ${message}.\n`);
    process.exitCode ||= 2;
  });
  const code = await main(process.argv.slice(2), {
    out: (text) => void process.stdout.write(printable(text)),
    err: (text) => void process.stderr.write(printable(text)),
  });
  process.exitCode = code === 0 && isLost ? 2 : code;
}
