import { checkKeys } from '@g2d/core';

/** What a process that was asked to stop ends with: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The signals that ask for it, also as the reason of the `AbortSignal`. */
export type StopName = keyof typeof EXIT_CODES;

export const STOP_NAMES = Object.keys(EXIT_CODES) as StopName[];

/** The exit codes of a process that has saved itself. */
export const STOPPED: readonly unknown[] = Object.values(EXIT_CODES);

/** The exit code of a process that has saved itself since this signal came. */
export const stopCode = ({ reason }: Pick<AbortSignal, 'reason'>): number =>
  EXIT_CODES[reason as StopName] ?? EXIT_CODES.SIGINT;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into a request to finish the step and save; another one ends the process. A terminal that
 * closes says SIGHUP more than once, so that this one never does.
 *
 * @param say Told once, what will happen.
 * @param options `patient`: another one does not end the process: whoever started it says the same by several ways. Default false.
 */
export function stopSignal(
  say: (line: string) => void,
  options: { readonly patient?: boolean } = {},
): {
  readonly signal: AbortSignal;
  /** From now on signals do what they did before. */
  dispose(): void;
} {
  const { patient = false } = checkKeys(options, { patient: true }, 'stopSignal');
  const controller = new AbortController();
  const handle = (name: StopName): void => {
    if (controller.signal.aborted) {
      if (name === 'SIGHUP' || patient) return;
      process.exit(EXIT_CODES[name]);
    }
    // First, for whoever listens may no longer be there.
    controller.abort(name);
    say(`Finishing the step and saving${patient ? '' : '; once more ends at once'}.`);
  };
  for (const name of STOP_NAMES) process.on(name, handle);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of STOP_NAMES) process.off(name, handle);
    },
  };
}
