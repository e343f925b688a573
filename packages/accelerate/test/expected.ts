import { readFileSync } from 'node:fs';
import { runtimeInfo } from '@g2d/native';

/** What the tests expect of this processor: written down here, not asked of the code that they test. */
export const expected = {
  /** The convolutions in C++ need vectors of AVX2 at least. Where they are missing all the same, `g2d-native doctor` says why. */
  winograd: (): boolean => process.env['G2D_KERNELS'] !== 'off' && ['AVX2', 'AVX-512'].includes(vectors()),

  /** Products of bfloat16 in C++ are for vectors of it; where there is AMX, TensorFlow's are faster. */
  ownBfloat16: (): boolean => {
    const processor = runtimeInfo()?.processor;
    return expected.winograd() && processor?.bfloat16 === true && !processor.amx && process.arch === 'x64';
  },

  /** oneDNN has bfloat16 from AVX-512 on; TensorFlow uses it by default where there are units for int8 products. */
  oneDnnBfloat16: (): boolean => {
    const asked = process.env['TF_ENABLE_ONEDNN_OPTS'];
    const usual = /\b(avx512_vnni|avx_vnni|amx_int8)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
    return vectors() === 'AVX-512' && (asked === undefined ? usual : asked !== '0');
  },

  bfloat16: (): boolean => expected.ownBfloat16() || expected.oneDnnBfloat16(),
};

function vectors(): string {
  const info = runtimeInfo();
  if (info?.backend !== 'tensorflow' || info.device !== 'cpu') throw new Error('TensorFlow is not loaded');
  return info.processor.vectors;
}
