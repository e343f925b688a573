// Compiles packages/accelerate/wasm/kernels.c: `npm run wasm`; `npm run wasm -- --check` compares with what is there. Clang comes from npm
// (@yowasp/clang, 101 MB), once, into a folder of its own: nobody needs it but who changes the kernels.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';

const CLANG = '22.0.0-git20542-10';
const SOURCE = 'packages/accelerate/wasm/kernels.c';
const TARGET = 'packages/accelerate/src/kernels/wasm-bytes.ts';

type Files = Record<string, string | Uint8Array>;
type RunLLVM = (args: string[], files: Files, options: { stdout?: null; stderr?: null }) => Promise<Files>;

async function clang(): Promise<RunLLVM> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), `g2d-clang-${CLANG}`);
  const entry = join(folder, 'node_modules/@yowasp/clang/gen/bundle.js');
  if (!existsSync(entry)) {
    const options = ['install', '--prefix', folder, '--no-audit', '--no-fund', `@yowasp/clang@${CLANG}`];
    execFileSync('npm', options, { stdio: 'inherit' });
  }
  return ((await import(pathToFileURL(entry).href)) as { runLLVM: RunLLVM }).runLLVM;
}

async function compile(source: string): Promise<Uint8Array> {
  const run = await clang();
  const compiled = await run(
    'clang --target=wasm32-unknown-unknown -std=c11 -O3 -msimd128 -mbulk-memory -fno-builtin -ffp-contract=off -Wall -Wextra -Werror -c -o kernels.o kernels.c'.split(
      ' ',
    ),
    { 'kernels.c': source },
    {},
  );
  // Variables in memory would lie where the backend has something else.
  if (Buffer.from(compiled['kernels.o'] as Uint8Array).includes('__stack_pointer'))
    throw new Error(`${SOURCE} has variables on the stack.`);
  // The largest memory is what a module may have; a memory that threads share must name one.
  const linked = await run(
    'wasm-ld --no-entry --import-memory --max-memory=4294967296 -z stack-size=0 --stack-first --strip-all -o kernels.wasm kernels.o'.split(
      ' ',
    ),
    { 'kernels.o': compiled['kernels.o'] as Uint8Array },
    {},
  );
  return linked['kernels.wasm'] as Uint8Array;
}

/** The module's sections: number, and where its contents begin and end. */
function* sections(module: Uint8Array): Generator<{ id: number; begin: number; end: number }> {
  for (let at = 8; at < module.length;) {
    const id = module[at++] as number;
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = module[at++] as number;
      size |= (byte & 127) << shift;
      more = byte > 127;
    }
    yield { id, begin: at, end: at + size };
    at += size;
  }
}

/** Where the flags of the imported memory stand: 1 for one with a largest size, 3 for one that threads share too. */
function memoryFlags(module: Uint8Array): number {
  const all = [...sections(module)];
  const [IMPORT, DATA] = [2, 11];
  if (all.some(({ id }) => id === DATA)) throw new Error(`${SOURCE} has variables outside of functions.`);
  const { begin, end } = all.find(({ id }) => id === IMPORT) as { begin: number; end: number };
  const expected = [1, 3, ...new TextEncoder().encode('env'), 6, ...new TextEncoder().encode('memory'), 2, 1];
  const found = [...module.subarray(begin, Math.min(end, begin + expected.length))];
  if (found.join() !== expected.join())
    throw new Error('The module does not import one memory with a largest size.');
  return begin + expected.length - 1;
}

const source = readFileSync(SOURCE, 'utf8');
const module = await compile(source);
const content = await format(
  `// Written by \`npm run wasm\` from wasm/kernels.c.
export const WASM_KERNELS = {
  /** SHA-256 of the source. */
  source: '${createHash('sha256').update(source).digest('hex')}',
  /** Which byte is 1 for a memory of one thread, 3 for one that threads share. */
  memoryFlags: ${memoryFlags(module)},
  bytes: '${Buffer.from(module).toString('base64')}',
} as const;
`,
  { parser: 'typescript', ...(JSON.parse(readFileSync('.prettierrc.json', 'utf8')) as object) },
);
if (process.argv.includes('--check')) {
  const same = readFileSync(TARGET, 'utf8') === content;
  console.log(same ? `${TARGET} is what ${SOURCE} compiles to.` : `${TARGET} is out of date: npm run wasm.`);
  process.exitCode = same ? 0 : 1;
} else {
  writeFileSync(TARGET, content);
  console.log(`${TARGET}: ${module.length} bytes of WebAssembly`);
}
