import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

/** The folder with the `.wasm` files of `@tensorflow/tfjs-backend-wasm`, or null if the package is missing. */
export function resolveWasm(require: NodeJS.Require = createRequire(import.meta.url)): string | null {
  try {
    return join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + sep;
  } catch {
    return null;
  }
}
