/** The store gave no usable answer: nothing is known about what it did. Never means "somebody else leads". */
export class DcsUnreachable extends Error {
  override readonly name = "DcsUnreachable";
}

/** The server could not be asked: connection refused, closed, broken, or past its deadline. */
export class PostgresUnreachable extends Error {
  override readonly name = "PostgresUnreachable";
  /** SQLSTATE or errno name when there was one. */
  readonly code: string | null;

  constructor(message: string, code?: string | null, options?: ErrorOptions) {
    super(message, options);
    this.code = code ?? null;
  }
}

/** How an external program ended when it did not end well. */
export interface CommandEnd {
  readonly program: string;
  readonly exitCode: number;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  /** The last lines of its stderr, never with a secret. */
  readonly stderrTail: string;
  readonly tookMs: number;
}

/** A program that we ran ended with a failure, a time-out or by our cancel. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly end: CommandEnd;

  constructor(message: string, end: CommandEnd, options?: ErrorOptions) {
    super(message, options);
    this.end = end;
  }
}

/** Outside data did not have the expected form; `path` is the place in it. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** One fault of the configuration and where it is. */
export interface ConfigFault {
  readonly file: string | null;
  readonly line: number | null;
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used; carries every fault found, so that one run shows them all. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];
  /** What was found beside the faults, one line each: an unknown key next to a missing one is often the same key. */
  readonly remarks: readonly string[];

  constructor(
    message: string,
    faults: readonly ConfigFault[],
    options: ErrorOptions & { readonly remarks?: readonly string[] } = {},
  ) {
    super(message, options);
    this.faults = faults;
    this.remarks = options.remarks ?? [];
  }
}

/** A definite no from the outside (compare failed, permission denied, SQL error): repeating will not help. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** SQLSTATE, etcd code or HTTP status when there was one. */
  readonly code: string | null;

  constructor(message: string, code?: string | null, options?: ErrorOptions) {
    super(message, options);
    this.code = code ?? null;
  }
}
