import { OptionError } from '@g2d/core';

interface ResampleOptions {
  /** Samples a second of the sound, a whole number. */
  readonly from: number;
  /** Samples a second of the result, a whole number. */
  readonly to: number;
  /** Only the first so many samples of the result. Default: all. */
  readonly length?: number;
}

/** Zero crossings of the sinc on each side of its centre. */
const CROSSINGS = 64;
/** Of the Kaiser window: −118 dB beside the pass band. */
const BETA = 12;
/** Where the filter is at half its height, as a part of the lower Nyquist frequency. */
const ROLL_OFF = 0.955;
/** Further apart, the filter alone would be longer than any sound: such a rate is a damaged file's. */
const FURTHEST = 256;

/**
 * Changes the sample rate with a windowed sinc: deterministic, of exact length ⌈N · to / from⌉, without delay.
 *
 * With L / M = to / from in lowest terms, s = min(1, L / M) and t the distance in input samples, the filter is
 * h(t) = s r sinc(s r t) · I₀(12 √(1 − (s t / 64)²)) / I₀(12) for |s t| ≤ 64, r = 0.955, and 0 beyond; its values at each of
 * the L phases are divided by their sum, so that a constant stays what it is. Output n is Σ_k x_k h(n M / L − k); outside the
 * sound x is 0. To 0.91 of the lower Nyquist frequency it agrees with soxr's high quality.
 *
 * The filter of a ratio is computed once per process, except for ratios that reduce to terms of many thousands (44,100 to
 * 44,099): these take about a hundred times as long.
 *
 * @param samples N samples.
 * @returns A fresh array.
 * @throws {OptionError} If a rate is not a whole number above 0, they are more than 256 times apart, or `length` is more than
 * there is.
 * @example
 * resample(new Float32Array(36363), { from: 16000, to: 22050 }).length; // 50113
 */
export function resample(samples: Float32Array, { from, to, length }: ResampleOptions): Float32Array {
  checkRates(from, to);
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const whole = Math.ceil((samples.length * up) / down);
  const count = length ?? whole;
  if (!(Number.isInteger(count) && count >= 0 && count <= whole)) {
    throw new OptionError(`\`length\` is ${count}; the resampled sound has ${whole} samples.`, {
      option: 'length',
      value: count,
      accepted: `a whole number from 0 to ${whole}`,
    });
  }
  if (up === down) return samples.slice(0, count);
  const { half, phase: kernelOf } = filterBank(up, down);
  const padded = new Float64Array(samples.length + 2 * half);
  padded.set(samples, half);
  const resampled = new Float32Array(count);
  // Output n lies at input position at + phase / up.
  let at = 0;
  let phase = 0;
  const wholeStep = Math.floor(down / up);
  const phaseStep = down % up;
  for (let n = 0; n < count; n++) {
    resampled[n] = product(padded, at + 1, kernelOf(phase));
    at += wholeStep;
    phase += phaseStep;
    if (phase >= up) {
      phase -= up;
      at += 1;
    }
  }
  return resampled;
}

/** Σ_k kernel_k values_(start + k), in four sums side by side; the kernel's length is a multiple of four. */
function product(values: Float64Array, start: number, kernel: Float64Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0, i = start; k < kernel.length; k += 4, i += 4) {
    a += (kernel[k] as number) * (values[i] as number);
    b += (kernel[k + 1] as number) * (values[i + 1] as number);
    c += (kernel[k + 2] as number) * (values[i + 2] as number);
    d += (kernel[k + 3] as number) * (values[i + 3] as number);
  }
  return a + b + (c + d);
}

interface FilterBank {
  /** Input samples on each side, even. */
  readonly half: number;
  /** The weights of the 2 · half input samples from `half − 1` before the output's position on. */
  phase(phase: number): Float64Array;
}

/** `up/down` → bank. */
const known = new Map<string, FilterBank>();
const MOST_BANKS = 8;
/** Numbers in a bank; larger ones are not kept. 16 MB. */
const LARGEST_BANK = 2 ** 21;

function filterBank(up: number, down: number): FilterBank {
  const key = `${up}/${down}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const scale = Math.min(1, up / down);
  const half = 2 * Math.ceil(CROSSINGS / scale / 2);
  const make = (phase: number): Float64Array => kernelAt(phase / up, half, scale);
  const bank: FilterBank = { half, phase: up * 2 * half > LARGEST_BANK ? make : once(make) };
  if (known.size >= MOST_BANKS) known.clear();
  known.set(key, bank);
  return bank;
}

function once(make: (phase: number) => Float64Array): (phase: number) => Float64Array {
  const made: (Float64Array | undefined)[] = [];
  return (phase) => (made[phase] ??= make(phase));
}

/** The filter for an output that lies `fraction` of a sample behind an input sample. */
function kernelAt(fraction: number, half: number, scale: number): Float64Array {
  const kernel = new Float64Array(2 * half);
  let sum = 0;
  for (let k = 0; k < kernel.length; k++) {
    const position = scale * (k - half + 1 - fraction);
    const edge = 1 - (position / CROSSINGS) ** 2;
    if (edge < 0) continue;
    const angle = Math.PI * ROLL_OFF * position;
    const value = (angle === 0 ? 1 : Math.sin(angle) / angle) * besselI0(BETA * Math.sqrt(edge));
    kernel[k] = value;
    sum += value;
  }
  return kernel.map((value) => value / sum);
}

/** The modified Bessel function I₀(x) = Σ_k ((x / 2)^k / k!)². */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function checkRates(from: number, to: number): void {
  for (const [option, value] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 1)) {
      throw new OptionError(`\`${option}\` is ${value}; it must be a whole number of samples a second.`, {
        option,
        value,
        accepted: 'a whole number ≥ 1',
      });
    }
  }
  if (Math.max(from / to, to / from) > FURTHEST) {
    throw new OptionError(
      `A sound of ${from} samples a second cannot be resampled to ${to}: at most ${FURTHEST} times more or fewer are ` +
        'possible. Is the rate in its file right?',
      { option: 'from', value: from, accepted: `${to} / ${FURTHEST} to ${to} · ${FURTHEST}` },
    );
  }
}
