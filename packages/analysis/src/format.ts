import { formatDigits, formatNumber } from '@g2d/core';
/** `58.9`, or `–` where there is no number. */
export function formatPercent(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '–' : formatNumber(value);
}

/** `58.9 %` with a space that does not break, for sentences. */
export function withPercent(value: number | undefined): string {
  return `${formatPercent(value)}\u00a0%`;
}

/** `+25.4`, `−1.3`, `0.0`: with a true minus sign, and no sign on what rounds to zero. */
export function formatGain(points: number): string {
  const text = formatNumber(Math.abs(points));
  if (text === '0.0') return text;
  return `${points > 0 ? '+' : '−'}${text}`;
}

/** `25.4 points`, without a sign, with a space that does not break. */
export function withPoints(points: number): string {
  return `${formatNumber(Math.abs(points))}\u00a0points`;
}

/** A number of an axis or a setting: so many digits, without zeros at the end. */
export function shortNumber(value: number, digits: number): string {
  return String(Number(formatDigits(value, digits)));
}

/** `2,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `0.4 s`, `42 s`, `1 min 36 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${formatNumber(seconds)} s`;
  const whole = Number(formatNumber(seconds, 0));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `audio`, `audio and image`, `audio, image and touch`. */
export function formatList(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
