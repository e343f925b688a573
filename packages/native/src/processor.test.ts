import { describe, expect, it } from 'vitest';
import { describeProcessor, processor } from './processor.js';

const machine = (...flags: string[]) => ({ model: 'Example 1', flags: new Set(flags) });
const amx = machine('sse4_1', 'avx', 'avx2', 'fma', 'avx512bw', 'avx512_bf16', 'amx_bf16');

describe('processor', () => {
  it.each([
    [{}, amx, 'Example 1, AVX-512 with bfloat16'],
    [{}, machine('sse4_1', 'avx', 'avx2', 'avx512bw'), 'Example 1, AVX-512'],
    [{}, machine('sse4_1', 'avx', 'avx2'), 'Example 1, AVX2'],
    [{}, machine('sse4_1', 'avx'), 'Example 1, AVX'],
    [{}, machine('sse4_1'), 'Example 1, SSE'],
    [{}, machine('asimd'), 'Example 1, NEON'],
    [{}, machine('asimd', 'sve', 'bf16'), 'Example 1, SVE with bfloat16'],
    [{}, machine(), 'Example 1, unknown'],
    [{ ONEDNN_MAX_CPU_ISA: 'avx2' }, amx, 'Example 1, AVX2 (ONEDNN_MAX_CPU_ISA=AVX2)'],
    [{ DNNL_MAX_CPU_ISA: 'SSE41' }, amx, 'Example 1, SSE (DNNL_MAX_CPU_ISA=SSE41)'],
    [{ ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' }, amx, 'Example 1, AVX-512 (ONEDNN_MAX_CPU_ISA=AVX512_CORE)'],
    [
      { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16' },
      amx,
      'Example 1, AVX-512 with bfloat16 (ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16)',
    ],
    [{ ONEDNN_MAX_CPU_ISA: 'DEFAULT' }, amx, 'Example 1, AVX-512 with bfloat16'],
  ])('with %j is %#: %s', (env, given, expected) => {
    expect(describeProcessor(processor(env, given as ReturnType<typeof machine>))).toBe(expected);
  });

  it('knows AMX, and whether TensorFlow may use it', () => {
    expect(processor({}, amx)).toMatchObject({ bfloat16: true, amx: true });
    expect(processor({ ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16' }, amx)).toMatchObject({
      bfloat16: true,
      amx: false,
    });
    expect(processor({}, machine('avx512bw', 'avx512_bf16'))).toMatchObject({ bfloat16: true, amx: false });
  });

  it('describes this machine', () => {
    expect(describeProcessor(processor({}))).toMatch(/^.+, (AVX-512|AVX2|AVX|SSE|SVE|NEON|unknown)/);
  });
});
