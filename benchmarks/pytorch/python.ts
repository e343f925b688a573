import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { G2DError } from '@g2d/core';

const PACKAGES = ['torch', 'torchvision'];
const missing = (message: string, details: Readonly<Record<string, unknown>>): G2DError =>
  new G2DError('G2D_PYTORCH_MISSING', message, details);

/** `$XDG_CACHE_HOME/g2d-pytorch`, else `~/.cache/g2d-pytorch`. */
function environmentFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'g2d-pytorch');
}

/**
 * A Python that has PyTorch and torchvision: `$G2D_PYTHON`, or a virtual environment in the user's cache folder.
 *
 * @param install Whether that environment may be made, with `$PYTHON` or `python3`, if it is not there.
 * @throws {G2DError} With code `G2D_PYTORCH_MISSING`.
 */
export function pythonWithTorch({ install }: { readonly install: boolean }): string {
  const given = process.env['G2D_PYTHON'];
  if (given) {
    try {
      execFileSync(given, ['-I', '-c', `import ${PACKAGES.join(', ')}`], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    } catch (error) {
      throw missing(
        `G2D_PYTHON is ${given}, which cannot import ${PACKAGES.join(' and ')} (${reasonOf(error)}). Name a Python that has both, or unset it.`,
        { python: given },
      );
    }
    return given;
  }
  const folder = environmentFolder();
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  // Written last, so a folder without it is what an interrupted installation left.
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  if (!install) {
    throw missing(
      `There is no PyTorch to compare with. Set G2D_PYTHON to a Python that has ${PACKAGES.join(' and ')}, or add --install: it makes a virtual environment in ${folder} and installs both with pip, a download of about 3 GB on Linux x64 (pip's default wheel brings CUDA's libraries; pip's own settings apply).`,
      { folder },
    );
  }
  process.stderr.write(`Installing ${PACKAGES.join(' and ')} into ${folder}; this happens once.\n`);
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // Standard output is for results.
    const stdio = ['ignore', process.stderr, process.stderr] as const;
    execFileSync(process.env['PYTHON'] || 'python3', ['-I', '-m', 'venv', folder], { stdio: [...stdio] });
    execFileSync(python, ['-I', '-m', 'pip', 'install', ...PACKAGES], { stdio: [...stdio] });
  } catch (error) {
    throw missing(
      `PyTorch could not be installed into ${folder} (${reasonOf(error)}); what was printed above says why. Set G2D_PYTHON to a Python that has it, or try again.`,
      { folder },
    );
  }
  writeFileSync(complete, '');
  return python;
}

/** The last line that a command wrote to standard error, or what kept it from running. */
function reasonOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: Buffer | null; readonly message: string };
  const lines = `${stderr?.toString().trim() || message}`.split('\n');
  return (stderr ? lines.at(-1) : lines[0]) as string;
}
