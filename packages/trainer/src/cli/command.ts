/** Where a command writes. */
export interface Output {
  /** Standard output: results only. */
  out(text: string): void;
  /** Standard error: progress, remarks, errors. */
  err(text: string): void;
}

/** One command of `g2d`. */
export interface Command {
  /** The text of `--help`: usage, what it does, every option, an example. */
  readonly help: string;
  /**
   * Runs it; `--help` is already dealt with. Throws a `G2DError` for a mistake of the user's.
   *
   * @param args What follows the command's name; read them with `parseArgs` of `node:util`.
   * @returns The exit code: 0, or 1 for a result that is not good. 2 is for errors.
   */
  run(args: readonly string[], output: Output): Promise<number>;
}
