import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { resolveWasm } from './wasm.js';

describe('resolveWasm', () => {
  it('is the folder with the WebAssembly files', () => {
    const folder = resolveWasm()!;
    for (const name of ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'])
      expect(existsSync(folder + name)).toBe(true);
  });

  it('is null where the package is missing', () => {
    expect(resolveWasm(createRequire(join(temporaryFolder(), 'x.js')))).toBeNull();
  });
});
