import { install, NativeError, terminalProgress } from '@g2d/native';

/** Installs TensorFlow where it is missing; without it training still works, on a slower backend. */
export async function installTensorFlow(): Promise<void> {
  const forced = process.env['G2D_BACKEND'];
  if (forced && forced !== 'tensorflow') return;
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await install({ progress: terminalProgress(), signal: interrupt.signal });
  } catch (error) {
    if (!NativeError.isInstance(error) || forced || interrupt.signal.aborted) throw error;
    console.error(`g2d: TensorFlow could not be installed. ${error.message}`);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
