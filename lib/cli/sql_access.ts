/** A server and what to run there. */
export interface SqlRequest {
  readonly host: string;
  readonly port: number;
  /** null: that of the configuration file. */
  readonly database: string | null;
  /** null: the superuser of the configuration file. */
  readonly username: string | null;
  readonly password: string | null;
  readonly text: string;
}

/** Rows as texts (null: NULL), in the order of the columns. */
export interface SqlRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** e.g. "INSERT 0 1"; shown when there are no columns. */
  readonly tag: string;
}

/** What became of a statement. */
export type SqlAnswer =
  | { readonly kind: "rows"; readonly isReplica: boolean; readonly result: SqlRows }
  /** The server said no: an SQL error or a login that may not come in. */
  | { readonly kind: "refused"; readonly why: string }
  /** No connection: nothing was run. */
  | { readonly kind: "unreachable"; readonly why: string }
  /** The connection broke or the time ended while it ran: it may have happened. */
  | { readonly kind: "lost"; readonly why: string };

/** Runs statements on servers of members. */
export interface SqlAccess {
  /** Runs `text` on one connection, after a look whether `accepts` the role of the server; null: it does not. */
  run(
    request: SqlRequest,
    accepts: (isReplica: boolean) => boolean,
    signal: AbortSignal,
  ): Promise<SqlAnswer | null>;
}
