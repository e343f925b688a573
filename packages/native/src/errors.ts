const MARKER = Symbol.for('@g2d/native.NativeError');

/** Every code a {@link NativeError} can carry. They are stable; messages are not. */
export type NativeErrorCode =
  | 'G2D_NATIVE_OPTION'
  | 'G2D_NATIVE_UNSUPPORTED_PLATFORM'
  | 'G2D_NATIVE_NO_PROJECT'
  | 'G2D_NATIVE_NO_TFJS_NODE'
  | 'G2D_NATIVE_PROJECT_NOT_WRITABLE'
  | 'G2D_NATIVE_CACHE_NOT_WRITABLE'
  | 'G2D_NATIVE_CACHE_NOT_SAFE'
  | 'G2D_NATIVE_NO_INDEX'
  | 'G2D_NATIVE_BAD_INDEX'
  | 'G2D_NATIVE_NO_NETWORK'
  | 'G2D_NATIVE_NO_SUCH_WHEEL'
  | 'G2D_NATIVE_PIP_FAILED'
  | 'G2D_NATIVE_DISK_FULL'
  | 'G2D_NATIVE_WRONG_HASH'
  | 'G2D_NATIVE_WHEEL_BROKEN'
  | 'G2D_NATIVE_NO_COMPILER'
  | 'G2D_NATIVE_COMPILER_FAILED'
  | 'G2D_NATIVE_SELF_TEST'
  | 'G2D_NATIVE_BACKEND_MISSING'
  | 'G2D_NATIVE_INTERRUPTED';

/**
 * An error with a stable `code` and the facts behind it in `details`.
 *
 * The message says what was wrong, what was expected, what came and what to do. Recognize it with
 * {@link NativeError.isInstance}: the ES module and the CommonJS build of this package may be loaded side by side.
 */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly code: NativeErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: NativeErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** True for a `NativeError` of any copy of this package. */
  static isInstance(error: unknown): error is NativeError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}

/** Refuses an option that does not exist: plain JavaScript has no types. The compiler keeps `known` complete. */
export function checkKeys<T extends object>(options: T, known: { readonly [K in keyof T]-?: true }): void {
  const wrong = Object.keys(options).find((key) => !Object.hasOwn(known, key));
  if (wrong === undefined) return;
  const accepted = Object.keys(known).join(', ');
  throw new NativeError('G2D_NATIVE_OPTION', `There is no option \`${wrong}\`; known: ${accepted}.`, {
    option: wrong,
    accepted,
  });
}

/** The system's code of a failed file operation (`ENOSPC`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** True when a folder or file could not be written because of who we are or how it is mounted. */
export function isNotWritable(error: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
}

/** The first line of an error's message: what fits into a sentence. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}
