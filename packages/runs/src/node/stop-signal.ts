/** How often a signal may be asked for before the process ends at once. */
const PATIENCE = 1;

/**
 * Turns the first SIGINT or SIGTERM into a request to finish the step and save; the next one ends the process.
 *
 * @param say Told once, what will happen.
 */
export function stopSignal(say: (line: string) => void): {
  readonly signal: AbortSignal;
  /** From now on signals do what they did before. */
  dispose(): void;
} {
  const controller = new AbortController();
  let count = 0;
  const handle = (name: NodeJS.Signals): void => {
    count += 1;
    if (count > PATIENCE) process.exit(name === 'SIGTERM' ? 143 : 130);
    say('Finishing the step and saving; once more ends at once.');
    controller.abort(name);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, handle);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, handle);
    },
  };
}
