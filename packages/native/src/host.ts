import { readFileSync } from 'node:fs';

/** The machine as far as it decides what can be installed. Given as a value so that tests can be on any machine. */
export interface Host {
  /** `process.platform` */
  readonly platform: string;
  /** `process.arch` */
  readonly arch: string;
  /** Linux with musl (Alpine): TensorFlow's library needs glibc. */
  readonly musl: boolean;
}

/** The machine this process runs on. */
export function currentHost(): Host {
  return { platform: process.platform, arch: process.arch, musl: process.platform === 'linux' && usesMusl() };
}

// The C library that this process itself has loaded: a machine may have both.
function usesMusl(maps = '/proc/self/maps'): boolean {
  try {
    return /\/(?:ld-musl|libc\.musl)-/.test(readFileSync(maps, 'utf8'));
  } catch {
    return false;
  }
}

/** True where TensorFlow's wheel can be used: Linux with glibc on x64 or arm64. */
export function isSupported(host: Host): boolean {
  return host.platform === 'linux' && !host.musl && (host.arch === 'x64' || host.arch === 'arm64');
}

/** `Linux x64`, `macOS arm64`, `Linux x64 (musl)`. */
export function describeHost(host: Host): string {
  const names: Record<string, string> = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };
  return `${names[host.platform] ?? host.platform} ${host.arch}${host.musl ? ' (musl)' : ''}`;
}

/** The NVIDIA driver's version, or null when no driver is loaded. Reads one small file and runs nothing. */
export function nvidiaDriver(versionFile = '/proc/driver/nvidia/version'): string | null {
  try {
    const text = readFileSync(versionFile, 'utf8');
    return /\b(\d{3,}\.\d+(?:\.\d+)?)\b/.exec(text)?.[1] ?? 'unknown version';
  } catch {
    return null;
  }
}
