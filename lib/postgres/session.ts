import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Client, DatabaseError, type QueryArrayResult } from "pg";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { RoleLogin } from "./options.ts";

/** Where and as whom to connect. A host that begins with `/` is a socket directory. */
export interface SessionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly login: RoleLogin;
  /**
   * "physical": a WAL sender for replication commands; simple protocol only, no SQL. "operator": statements of a person,
   * with the names that person's role sees.
   */
  readonly mode: "sql" | "physical" | "operator";
}

/** A row by column name, as text, number, boolean, null or decoded JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows as texts (null: NULL), in the order of the columns; `tag` names command and count. */
export interface TextRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly tag: string;
}

type TextResult = QueryArrayResult<(string | null)[]>;

/** How long a good-bye may take: a socket whose close event was missed must not hold anybody up. */
const CLOSE_MS = 500;

/** One connection that knows when it is dead. Closed by `await using` or `close()`. */
export class Session implements AsyncDisposable {
  readonly #client: Client;
  readonly #socket: Socket;
  #fault: Error | null = null;

  private constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    client.on("error", (error) => this.#fault ??= error);
    client.on("end", () => this.#fault ??= new Error("the connection was closed"));
  }

  /**
   * Connects until `signal` aborts. Throws `Refused` when the server answered that this login may not come in,
   * `PostgresUnreachable` otherwise. `sslmode` prefer and allow try TLS when the server refuses plain text.
   */
  static async open(target: SessionTarget, signal: AbortSignal): Promise<Session> {
    const mode = target.login.options["sslmode"] ?? "prefer";
    const isLocal = target.host.startsWith("/");
    const wantsTls = !isLocal && (mode === "require" || mode.startsWith("verify"));
    try {
      return await Session.#open(target, wantsTls, signal);
    } catch (error) {
      const mayTryTls = !isLocal && !wantsTls && mode !== "disable";
      if (!mayTryTls || !(error instanceof Refused) || error.code !== "28000") throw error;
      return await Session.#open(target, true, signal).catch(() => Promise.reject(error));
    }
  }

  static async #open(target: SessionTarget, tls: boolean, signal: AbortSignal): Promise<Session> {
    const socket = new Socket();
    const session = new Session(new Client(clientConfig(target, tls, socket)), socket);
    await session.#untilAborted(() => session.#client.connect(), signal);
    return session;
  }

  /** Calls `listener` when the connection ends, whoever ends it, unless disposed before. */
  onEnd(listener: () => void): Disposable {
    this.#socket.once("close", listener);
    return { [Symbol.dispose]: () => void this.#socket.off("close", listener) };
  }

  /** True until an error, an end of the connection or a missed deadline. */
  get isOpen(): boolean {
    return this.#fault === null;
  }

  /**
   * Runs one statement; without `values` several parted by `;` (then the last one's rows). Throws `Refused` with the
   * SQLSTATE for an SQL error; `PostgresUnreachable` when the connection broke or `signal` aborted, and the session
   * is of no use any more.
   */
  async query(
    text: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): Promise<readonly Row[]> {
    const send = () =>
      values.length === 0
        ? this.#client.query<Row>(text)
        : this.#client.query<Row>(text, [...values]);
    const result: { rows: Row[] } | { rows: Row[] }[] = await this.#untilAborted(send, signal);
    return Array.isArray(result) ? result.at(-1)?.rows ?? [] : result.rows;
  }

  /** Runs a text of statements and gives the last one's rows as the server printed them. Errors as `query`. */
  async queryTexts(text: string, signal: AbortSignal): Promise<TextRows> {
    const asPrinted = { getTypeParser: () => (value: string): string => value };
    const send = () =>
      this.#client.query<(string | null)[]>({ text, rowMode: "array", types: asPrinted });
    const answer: TextResult | TextResult[] = await this.#untilAborted(send, signal);
    const result: TextResult | undefined = Array.isArray(answer) ? answer.at(-1) : answer;
    return {
      columns: result?.fields.map(({ name }) => name) ?? [],
      rows: result?.rows ?? [],
      tag: [result?.command ?? "", result?.rowCount ?? ""].join(" ").trim(),
    };
  }

  /** Says good-bye if the connection lives; never waits for a silent server, nor for a socket that is gone. */
  async close(): Promise<void> {
    if (this.#fault === null && !this.#socket.destroyed) {
      this.#fault = new Error("closed by the agent");
      const closed = Promise.withResolvers<void>();
      this.#socket.once("close", closed.resolve);
      this.#client.end().catch(() => {});
      const timer = setTimeout(closed.resolve, CLOSE_MS);
      await closed.promise;
      clearTimeout(timer);
    }
    this.#fault ??= new Error("closed by the agent");
    this.#socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw this.#dead(new Error("the deadline has passed"));
    if (this.#fault !== null) throw this.#dead(this.#fault);
    const deadline = Promise.withResolvers<never>();
    const onAbort = (): void => {
      this.#fault ??= new Error("no answer in time");
      this.#socket.destroy();
      deadline.reject(this.#fault);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work(), deadline.promise]);
    } catch (error) {
      throw this.#translate(error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #translate(error: unknown): Error {
    const code = errorCode(error);
    if (error instanceof DatabaseError && !isFatal(error)) {
      return new Refused(error.message, code, { cause: error });
    }
    const fault = error instanceof Error ? error : new Error(String(error));
    this.#fault ??= fault;
    this.#socket.destroy();
    const isRefusal = code !== null && /^(28...|3D000)$/.test(code);
    return isRefusal ? new Refused(fault.message, code, { cause: fault }) : this.#dead(fault);
  }

  #dead(fault: Error): PostgresUnreachable {
    const message = `Cannot reach the server: ${fault.message}`;
    return new PostgresUnreachable(message, errorCode(fault), { cause: fault });
  }
}

/** Runs `work` on a session of its own, closed afterwards. Errors as `Session.open` and those of `work`. */
export async function withSession<T>(
  target: SessionTarget,
  work: (session: Session) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  await using session = await Session.open(target, signal);
  return await work(session);
}

/** FATAL and PANIC end the session, as do connection exceptions and shutdown. */
function isFatal(error: DatabaseError): boolean {
  if (error.severity === "FATAL" || error.severity === "PANIC") return true;
  return /^(08...|57P0[123])$/.test(error.code ?? "");
}

function errorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

/** `search_path` is fixed before anything runs: objects of users in `public` must not shadow those of the catalog. */
function clientConfig(
  target: SessionTarget,
  tls: boolean,
  socket: Socket,
): ConstructorParameters<typeof Client>[0] {
  const { login, mode } = target;
  const config = {
    host: target.host,
    port: target.port,
    database: target.database,
    user: login.username,
    password: login.password ?? "",
    application_name: "agent",
    ssl: tls ? tlsOptions(login.options) : false,
    stream: () => socket,
    keepAlive: true,
    ...(mode === "physical" ? { replication: "true" } : {}),
    ...(mode === "sql" ? { options: "-c search_path=pg_catalog" } : {}),
  };
  return config;
}

/** libpq's modes: `require` takes any certificate, `verify-ca` any name of a known authority. */
function tlsOptions(options: Readonly<Record<string, string>>): ConnectionOptions {
  const verifies = (options["sslmode"] ?? "").startsWith("verify");
  const file = (name: string): { readonly content: Buffer } | null => {
    const path = options[name];
    return path === undefined ? null : { content: readFileSync(path) };
  };
  const [ca, cert, key] = [file("sslrootcert"), file("sslcert"), file("sslkey")];
  return {
    rejectUnauthorized: verifies,
    ...(ca === null ? {} : { ca: ca.content }),
    ...(cert === null ? {} : { cert: cert.content }),
    ...(key === null ? {} : { key: key.content }),
    ...(options["sslpassword"] === undefined ? {} : { passphrase: options["sslpassword"] }),
    ...(options["sslmode"] === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}
