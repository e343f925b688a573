import { G2DError } from '@g2d/core';

/**
 * A package that only whoever reads such files has to install, loaded when the first one is read.
 *
 * @throws {G2DError} With code `G2D_MISSING_DEPENDENCY` if it cannot be loaded.
 */
export async function optionalPackage<T>(name: string, reads: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new G2DError(
      'G2D_MISSING_DEPENDENCY',
      `${reads} are read with the package "${name}", which cannot be loaded (${(error as Error).message}). ` +
        `Install it: npm install ${name}`,
      { dependency: name },
      { cause: error },
    );
  }
}
