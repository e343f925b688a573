import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What the processor computes with, as far as oneDNN, and with it TensorFlow, may use it. */
export interface Processor {
  /** As the processor names itself: `AMD EPYC`. */
  readonly model: string;
  /** The widest vectors: `AVX-512`, `AVX2`, `AVX`, `SSE`, `SVE`, `NEON`; `unknown` where the system does not say. */
  readonly vectors: string;
  /** Whether there are units for bfloat16. */
  readonly bfloat16: boolean;
  /** Whether they are AMX, which multiplies matrices of bfloat16 at many times the speed of float32; vectors only double it. */
  readonly amx: boolean;
  /** What keeps TensorFlow from more: `ONEDNN_MAX_CPU_ISA=AVX2`; null for nothing. */
  readonly limit: string | null;
}

/** oneDNN's names of instruction sets, each with those before it. */
const LEVELS = [
  'SSE41',
  'AVX',
  'AVX2',
  'AVX2_VNNI',
  'AVX2_VNNI_2',
  'AVX512_CORE',
  'AVX512_CORE_VNNI',
  'AVX512_CORE_BF16',
  'AVX512_CORE_FP16',
  'AVX512_CORE_AMX',
  'AVX512_CORE_AMX_FP16',
] as const;
type Level = (typeof LEVELS)[number];

/** Vectors from wide to narrow: the flag in `/proc/cpuinfo`, and the least that oneDNN must be allowed. */
const VECTORS: readonly [name: string, flag: string, needs: Level][] = [
  ['AVX-512', 'avx512bw', 'AVX512_CORE'],
  ['AVX2', 'avx2', 'AVX2'],
  ['AVX', 'avx', 'AVX'],
  ['SSE', 'sse4_1', 'SSE41'],
];

/** Describes the processor of this machine. Reads one file and runs nothing. */
export function processor(
  env: NodeJS.ProcessEnv = process.env,
  { model, flags }: { readonly model: string; readonly flags: ReadonlySet<string> } = thisMachine(),
): Processor {
  const variable = ['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'].find((name) => env[name]);
  const told = variable && env[variable]?.toUpperCase();
  const place = LEVELS.indexOf(told as Level);
  const most = place < 0 ? LEVELS.length : place;
  const may = (needs: Level): boolean => LEVELS.indexOf(needs) <= most;
  const found =
    VECTORS.find(([, flag, needs]) => flags.has(flag) && may(needs))?.[0] ??
    (flags.has('sve') ? 'SVE' : flags.has('asimd') ? 'NEON' : 'unknown');
  const amx = flags.has('amx_bf16') && may('AVX512_CORE_AMX');
  return {
    model,
    vectors: found,
    bfloat16: amx || (flags.has('avx512_bf16') && may('AVX512_CORE_BF16')) || flags.has('bf16'),
    amx,
    limit: place < 0 ? null : `${variable}=${told}`,
  };
}

/** `AMD EPYC, AVX-512 with bfloat16`; `AMD EPYC, AVX2 (ONEDNN_MAX_CPU_ISA=AVX2)`. */
export function describeProcessor({ model, vectors, bfloat16, limit }: Processor): string {
  return `${model}, ${vectors}${bfloat16 ? ' with bfloat16' : ''}${limit ? ` (${limit})` : ''}`;
}

function thisMachine(): { model: string; flags: Set<string> } {
  let flags = new Set<string>();
  try {
    // Where one processor stands in for the other (QEMU), the file is of the machine below.
    const name = process.arch === 'arm64' ? 'Features' : 'flags';
    const line = new RegExp(`^${name}\\s*:(.*)$`, 'm').exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    flags = new Set(line.trim().split(/\s+/));
  } catch {
    // Only Linux has the file.
  }
  return { model: cpus()[0]?.model.trim() || 'unknown processor', flags };
}
