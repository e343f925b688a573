import { readFileSync } from 'node:fs';

/** The machine as far as it decides what can be installed. Given as a value so that tests can be on any machine. */
export interface Host {
  /** `process.platform` */
  readonly platform: string;
  /** `process.arch` */
  readonly arch: string;
  /** Linux with musl (Alpine): TensorFlow's library needs glibc. */
  readonly musl: boolean;
  /** Version of glibc, such as `2.36`; left out where there is none, or it is not known. */
  readonly glibc?: string;
}

/** The machine this process runs on. */
export function currentHost(): Host {
  const { platform, arch } = process;
  if (platform !== 'linux') return { platform, arch, musl: false };
  const glibc = glibcVersion();
  return { platform, arch, musl: usesMusl(), ...(glibc === undefined ? {} : { glibc }) };
}

/** What Node itself has loaded. Without the machine's addresses, which take long to look up. */
function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header.glibcVersionRuntime;
}

/** The glibc that TensorFlow's library needs: its wheel is for `manylinux_2_27`. */
const oldestGlibc = '2.27';

/** Why the C library of a Linux is none for TensorFlow's, as a part of a sentence; null where it is one, and on other systems. */
export function wrongLibc({ musl, glibc }: Host): string | null {
  if (musl) return 'needs glibc, which is not here. A Debian-based image has it';
  const older = glibc !== undefined && glibc.localeCompare(oldestGlibc, 'en', { numeric: true }) < 0;
  return older ? `needs glibc ${oldestGlibc} or newer, but here is ${glibc}. A newer system has it` : null;
}

// The C library that this process itself has loaded: a machine may have both.
function usesMusl(maps = '/proc/self/maps'): boolean {
  try {
    return /\/(?:ld-musl|libc\.musl)-/.test(readFileSync(maps, 'utf8'));
  } catch {
    return false;
  }
}

/** True where TensorFlow's wheel can be used: Linux with a glibc that is new enough, on x64 or arm64; and, untried, macOS on arm64. */
export function isSupported(host: Host): boolean {
  if (isUntried(host)) return true;
  return (
    host.platform === 'linux' && wrongLibc(host) === null && (host.arch === 'x64' || host.arch === 'arm64')
  );
}

/** True where everything is prepared, but was never run: what fails there must leave nothing behind and be said as what it is. */
export function isUntried(host: Pick<Host, 'platform' | 'arch'>): boolean {
  return host.platform === 'darwin' && host.arch === 'arm64';
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
