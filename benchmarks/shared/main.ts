import { G2DError } from '@g2d/core';

/** Runs a benchmark's command line: its help, or its measurements; what the user got wrong is one sentence and exit code 2. */
export async function main<Options extends { readonly help: boolean }>({
  name,
  help,
  parse,
  run,
}: {
  readonly name: string;
  readonly help: string;
  readonly parse: (args: readonly string[]) => Options;
  readonly run: (options: Options) => Promise<void>;
}): Promise<void> {
  try {
    const options = parse(process.argv.slice(2));
    if (options.help) process.stdout.write(help);
    else await run(options);
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: string };
    const known =
      G2DError.isInstance(error) || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'));
    if (!known) throw error;
    process.stderr.write(`${name}: ${message}\n`);
    process.exitCode = 2;
  }
}
