import { checkKeys } from '@g2d/core';

/** Where a command writes. */
export interface Output {
  /** Standard output: results only. */
  out(text: string): void;
  /** Standard error: progress, warnings, errors. */
  err(text: string): void;
}

/** One option of a command; its key is its name, without the dashes. */
export interface CommandOption {
  /** What stands for its value in the help, such as `DIR`. Absent: a flag, without a value. */
  readonly value?: string;
  /** What it does; a sentence begins in lower case. */
  readonly help: string;
  /** Of an option with a value. The help does not name it by itself. */
  readonly default?: string;
  /** It may be given several times, and its value is the list of them. */
  readonly multiple?: boolean;
  /** Another spelling of the same option. */
  readonly also?: string;
}

/** Options by their names, without the dashes. */
export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** What options come to: lists, texts and flags. */
export type OptionValues<O extends CommandOptions> = {
  readonly [K in keyof O]: O[K] extends { readonly multiple: true }
    ? readonly string[]
    : O[K] extends { readonly value: string }
      ? O[K] extends { readonly default: string }
        ? string
        : string | undefined
      : boolean;
};

/** A command line, read. */
export interface Arguments<O extends CommandOptions> {
  readonly values: OptionValues<O>;
  /** What is no option, in order. */
  readonly positionals: readonly string[];
}

/** One command of `g2d`. */
export interface Command<O extends CommandOptions = CommandOptions> {
  /** What follows its name in the first line of `--help`, such as `RUN [options]`. */
  readonly usage: string;
  /** What it does: paragraphs for `--help`, above the options. */
  readonly description: string;
  readonly options: O;
  /** The end of `--help`: output, exit codes, an example. Lines stay as they are. */
  readonly details?: string;
  /**
   * Runs it. Unknown options have been refused. Throws a `G2DError` for a mistake of the user's.
   *
   * @param given `args`: what follows the command's name, as it was typed.
   * @returns The exit code: 0, or 1 for a result that is not good. 2 is for errors.
   */
  run(given: Arguments<O> & { readonly args: readonly string[] }, output: Output): Promise<number>;
}

/**
 * Checks the definition of a command and gives `run` the types of its options.
 *
 * @example
 * export const greet = defineCommand({
 *   usage: 'NAME [options]',
 *   description: 'Says hello.',
 *   options: { times: { value: 'N', default: '1', help: 'how often (default: 1)' } },
 *   async run({ values, positionals }, { out }) {
 *     out(`Hello ${positionals[0]}\n`.repeat(Number(values.times)));
 *     return 0;
 *   },
 * });
 */
export const defineCommand = <const O extends CommandOptions>(command: Command<O>): Command =>
  // Whoever runs it hands over the values of exactly these options.
  checkKeys(
    command,
    { usage: true, description: true, options: true, details: true, run: true },
    'defineCommand',
  ) as unknown as Command;

/** A command in the list of all, loaded when it is called or asked for its help. */
export interface CommandEntry {
  /** One line. */
  readonly summary: string;
  /** Imports the command. */
  readonly load: () => Promise<Command>;
}

/** Commands by name, one word or two: `train`, `data check`. */
export type Commands = Readonly<Record<string, CommandEntry>>;
