// Two copies of this package (ESM and CommonJS) may live in one process, so errors are recognized by a marker
// that all copies share, never by class identity.
const MARKER = Symbol.for('@g2d/error');

/** Base of every error that is the caller's to fix: a stable `code`, a sentence, and the facts as `details`. */
export class G2DError extends Error {
  /** Stable identifier, for example `G2D_SHAPE`. */
  declare readonly code: string;
  /** The facts of the message as data. */
  declare readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }

  /** @internal */
  get [MARKER](): true {
    return true;
  }

  /** True for an error of any copy of this package. */
  static isInstance(error: unknown): error is G2DError {
    return MARKER in Object(error);
  }
}

const list = (values: readonly unknown[]): string => values.map(String).join(', ');

/** A tensor does not have the shape that was asked for. */
export class ShapeError extends G2DError {
  constructor(details: { argument: string; expected: string; actual: readonly number[] }) {
    super(
      'G2D_SHAPE',
      `\`${details.argument}\` has shape [${details.actual.join(', ')}]; expected ${details.expected}.`,
      details,
    );
  }
}

/** An option has a value that is not accepted. `message` says what to do. */
export class OptionError extends G2DError {
  constructor(message: string, details: { option: string; value: unknown; accepted: string }) {
    super('G2D_OPTION', message, details);
  }
}

/** A modality name that nobody defined. */
export class UnknownModalityError extends G2DError {
  constructor(details: { modality: string; known: readonly string[]; where: string }) {
    super(
      'G2D_UNKNOWN_MODALITY',
      `${details.where} has no modality "${details.modality}". Known modalities: ${list(details.known)}.`,
      details,
    );
  }
}

/** A dataset's files are not where they were expected. */
export class DatasetNotFoundError extends G2DError {
  constructor(details: { dataset: string; root: string; missing: readonly string[]; howToGet: string }) {
    super(
      'G2D_DATASET_NOT_FOUND',
      `${details.dataset} is not complete under ${details.root}: missing ${list(details.missing)}. ${details.howToGet}`,
      details,
    );
  }
}

/** A file exists but does not hold what its format promises. */
export class FileFormatError extends G2DError {
  constructor(path: string, problem: string, details: Readonly<Record<string, unknown>> = {}) {
    super('G2D_FILE_FORMAT', `${path}: ${problem}`, { path, problem, ...details });
  }
}
