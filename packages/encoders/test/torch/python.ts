import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGES = ['torch', 'torchvision', 'safetensors', 'numpy'];
const folder = resolve(import.meta.dirname, '../../../../node_modules/.cache/g2d-pytorch');

/**
 * A Python with PyTorch: `$G2D_PYTHON`, or a virtual environment in the repository's cache folder, which is built the
 * first time with `$PYTHON` or `python3` (a download of gigabytes; pip's own settings apply).
 */
export function pythonWithTorch(): string {
  const given = process.env['G2D_PYTHON'];
  if (given) {
    execFileSync(given, ['-I', '-c', `import ${PACKAGES.join(', ')}`], { stdio: 'inherit' });
    return given;
  }
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`Installing PyTorch into ${folder}; this happens once.`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    execFileSync(process.env['PYTHON'] ?? 'python3', ['-I', '-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(python, ['-I', '-m', 'pip', 'install', '--quiet', ...PACKAGES], { stdio: 'inherit' });
    writeFileSync(complete, '');
  }
  return python;
}
