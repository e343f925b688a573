// The CommonJS builds where `import()` is not allowed: Jest runs the code of tests and packages in a context of its own.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Every CommonJS file of ours is compiled without a way to import, as Jest compiles it. */
const AS_JEST = `
const { readFileSync } = require('node:fs');
const { compileFunction } = require('node:vm');
const Module = require('node:module');
const { sep, dirname } = require('node:path');
Module._extensions['.cjs'] = Module._extensions['.js'] = ((plain) => (module, file) => {
  if (!file.startsWith(${JSON.stringify(root)} + sep + 'packages')) return plain(module, file);
  const names = ['exports', 'require', 'module', '__filename', '__dirname'];
  const run = compileFunction(readFileSync(file, 'utf8'), names, { filename: file });
  run.call(module.exports, module.exports, module.require.bind(module), module, file, dirname(file));
})(Module._extensions['.js']);
`;

const run = (code: string): string => {
  const program = `${AS_JEST}(async () => { ${code} })().catch((error) => console.log(error.code, error.message));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' });
  return stdout + stderr;
};

describe('the CommonJS build in Jest', () => {
  it('reads pictures', () => {
    const picture = 'test/fixtures/transforms/pillow/pictures/baseline.jpg';
    expect(
      run(`
        const { readImage } = require('@g2d/formats/node');
        const { width, height, pixels } = await readImage('${picture}');
        console.log(pixels.length === 3 * width * height);`),
    ).toBe('true\n');
  });

  it('reads workbooks', () => {
    const workbook = 'test/fixtures/io/misme/classification/combined_only_train_set.xlsx';
    expect(
      run(`
        const { readXlsx } = require('@g2d/formats/node');
        console.log((await readXlsx('${workbook}'))[0].cells.includes('image'));`),
    ).toBe('true\n');
  });

  it('says of HDF5, which needs an ES module, what to set', () => {
    expect(
      run(`
        const { openHdf5 } = require('@g2d/formats/node');
        await openHdf5('test/fixtures/io/hdf5/types.h5');`),
    ).toMatch(/^G2D_MISSING_DEPENDENCY .*in Jest set NODE_OPTIONS=--experimental-vm-modules\n$/);
  });
});
