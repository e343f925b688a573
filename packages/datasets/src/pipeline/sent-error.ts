import { G2DError } from '@g2d/core';

/** An error as it travels between threads, where structured cloning would lose its class, code and details. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

export function toSent(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, details: {} };
  }
  const { name, message, stack } = error;
  const code: unknown = (error as NodeJS.ErrnoException).code;
  return {
    name,
    message,
    stack,
    code: typeof code === 'string' ? code : undefined,
    details: G2DError.isInstance(error) ? cloneable(error.details) : {},
  };
}

/** The error again: one of ours keeps its code and details, a system error its code. */
export function fromSent({ name, message, stack, code, details }: SentError): Error {
  const error = code?.startsWith('G2D_') === true ? new G2DError(code, message, details) : new Error(message);
  if (code !== undefined && !G2DError.isInstance(error)) Object.assign(error, { code });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

function cloneable(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(details);
  } catch {
    return {};
  }
}
