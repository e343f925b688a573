/** A command as it can be typed again: words with a meaning to the shell are quoted. */
export const commandLine = (command: string, args: readonly string[]): string =>
  [
    command,
    ...args.map((arg) => (/[^\w@%+=:,./-]/.test(arg) ? `'${arg.replaceAll("'", "'\\''")}'` : arg)),
  ].join(' ');
