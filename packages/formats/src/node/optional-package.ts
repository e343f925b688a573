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
    const { message, code } = error as Error & { readonly code?: string };
    // Jest runs code in a context of its own, in which CommonJS cannot import ES modules.
    const remedy = code?.startsWith('ERR_VM_DYNAMIC_IMPORT')
      ? 'It is an ES module: in Jest set NODE_OPTIONS=--experimental-vm-modules'
      : `Install it: npm install ${name}`;
    throw new G2DError(
      'G2D_MISSING_DEPENDENCY',
      `${reads} are read with the package "${name}", which cannot be loaded (${message}). ${remedy}`,
      { dependency: name },
      { cause: error },
    );
  }
}
