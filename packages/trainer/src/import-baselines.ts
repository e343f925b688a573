import { OptionError } from '@g2d/tensor-ops';

/**
 * Loads `@g2d/baselines`, which is built on this package and so is not a dependency of it.
 *
 * @param need Who needs it, the beginning of the error's sentence, for example `'This parity case needs'`.
 * @throws {OptionError} If the package is not installed.
 */
export async function importBaselines<Baselines>(need: string): Promise<Baselines> {
  // A variable, so that neither the type checker nor the bundler follows it.
  const name = '@g2d/baselines';
  try {
    return (await import(/* @vite-ignore */ name as string)) as Baselines;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new OptionError(`${need} the package ${name}. Run npm install ${name}.`, {
      option: 'method',
      value: name,
      accepted: 'an installed package',
    });
  }
}
