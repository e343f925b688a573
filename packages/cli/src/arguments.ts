import { Command as Parser, CommanderError, Option } from 'commander';
import { OptionError } from '@g2d/core';
import type { Arguments, Command, CommandOption, CommandOptions, OptionValues } from './command.js';

/** Errors are thrown, and whoever catches them writes them; nothing ends the process. */
export const quiet = (parser: Parser): Parser =>
  parser
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .helpOption('-h, --help', 'this text')
    .configureOutput({ outputError: () => {}, getOutHelpWidth: helpWidth, getErrHelpWidth: helpWidth });

const helpWidth = (): number => Math.min(process.stdout.columns ?? 120, 120);

/** Gives a parser the options and the help of a command. */
export function describeCommand(parser: Parser, { usage, description, options, details }: Command): void {
  parser.usage(usage).description(description).argument('[words...]');
  for (const option of Object.entries(options).flatMap(parserOptions)) parser.addOption(option);
  if (details !== undefined) parser.addHelpText('after', `\n${details.trimEnd()}`);
}

/** An option and, hidden, its other spelling, which sets the same value. */
function parserOptions([name, { value, help, multiple, also }]: [string, CommandOption]): Option[] {
  const option = (spelling: string): Option => {
    const made = new Option(value === undefined ? `--${spelling}` : `--${spelling} <${value}>`, help);
    return multiple ? made.argParser((text, list: readonly string[] = []) => [...list, text]) : made;
  };
  const own = option(name);
  if (also === undefined) return [own];
  const other = option(also).hideHelp();
  other.attributeName = () => own.attributeName();
  return [own, other];
}

/** What a parser has read for a command. */
export function readArguments<O extends CommandOptions>(parser: Parser, options: O): Arguments<O> {
  const values = Object.entries<CommandOption>(options).map(([name, { value, default: usual, multiple }]) => {
    const absent = value === undefined ? false : multiple ? [] : usual;
    return [name, valueOf(parser, name) ?? absent] as const;
  });
  return { values: Object.fromEntries(values) as OptionValues<O>, positionals: parser.args };
}

/** `--no-step` is an option of that name here, and not the opposite of `--step`. */
function valueOf(parser: Parser, name: string): unknown {
  const option = parser.options.find(({ long }) => long === `--${name}`) as Option;
  const value: unknown = parser.getOptionValue(option.attributeName());
  return option.negate ? value === false : value;
}

/**
 * A value that begins with a dash is an option more often than a value: `--out --json` lacks its folder.
 *
 * @throws {OptionError} If one follows an option that takes a value.
 */
export function assertValues(options: CommandOptions, args: readonly string[]): void {
  const taking = Object.entries(options).flatMap(([name, { value, also }]) =>
    value === undefined ? [] : [`--${name}`, `--${also ?? name}`],
  );
  const end = args.indexOf('--');
  args.slice(0, end < 0 ? args.length : end).forEach((arg, i) => {
    const next = args[i + 1];
    if (next === undefined || !/^-./.test(next) || !taking.includes(arg)) return;
    throw new OptionError(
      `Option '${arg}' is followed by '${next}'; a value that begins with a dash is written ${arg}=${next}.`,
      { option: arg.slice(2), value: next, accepted: 'a value' },
    );
  });
}

/**
 * Reads a command line of these options.
 *
 * @throws {OptionError} If it has an option that is none of these, or one without its value.
 */
export function parseArguments<O extends CommandOptions>(options: O, args: readonly string[]): Arguments<O> {
  const parser = quiet(new Parser());
  describeCommand(parser, { usage: '', description: '', options, run: async () => 0 });
  assertValues(options, args);
  try {
    parser.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new OptionError(`${problemOf(error)}.`, {
      option: 'option',
      value: args,
      accepted: 'known options',
    });
  }
  return readArguments(parser, options);
}

/** The parser's own sentence, in the form of the others: `Unknown option '--jsn' (did you mean --json?)`. */
export function problemOf({ message }: CommanderError): string {
  const text = message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replace(/\n\(Did you/, ' (did you');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
