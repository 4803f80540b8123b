import { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Client, DatabaseError, type QueryArrayResult } from "pg";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { RoleLogin } from "./options.ts";
import { mannersOf, NOT_BOUND, sessionTls, watchBinding } from "./session_tls.ts";
import type { Manner } from "./session_tls.ts";

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
   * Connects until `signal` aborts, in the ways of the login's `sslmode` one after the other. Throws `Refused` when the
   * server answered that this login may not come in, `PostgresUnreachable` otherwise.
   */
  static async open(target: SessionTarget, signal: AbortSignal): Promise<Session> {
    const [first = "plain", second] = mannersOf(target.host, target.login.options);
    try {
      return await Session.#open(target, first, signal);
    } catch (error) {
      if (second === undefined || signal.aborted || !mayDiffer(error, first)) throw error;
      return await Session.#open(target, second, signal).catch((other: unknown) => {
        throw first === "tls" ? other : error;
      });
    }
  }

  static async #open(
    target: SessionTarget,
    manner: Manner,
    signal: AbortSignal,
  ): Promise<Session> {
    const socket = new Socket();
    const client = clientOf(target, manner, socket);
    const session = new Session(client, socket);
    const mustBind = target.login.options["channel_binding"] === "require" && manner === "tls";
    const binding = mustBind ? watchBinding(client, socket) : null;
    await session.#untilAborted(() => client.connect(), signal);
    if (binding === null || binding.isBound()) return session;
    await session.close();
    throw new Refused(`Cannot log in: ${NOT_BOUND.message}`, "28000");
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

/** Would the other way to connect have another end? Not when nobody listens or the password is wrong. */
function mayDiffer(error: unknown, manner: Manner): boolean {
  if (error instanceof Refused) return error.code === "28000";
  const code = error instanceof PostgresUnreachable ? error.code : null;
  return manner === "tls" && !["ECONNREFUSED", "EHOSTUNREACH", "ENOENT"].includes(code ?? "");
}

/**
 * Throws `PostgresUnreachable` when a certificate or key of the login cannot be used. `search_path` is fixed before
 * anything runs: objects of users in `public` must not shadow those of the catalog.
 */
function clientOf(target: SessionTarget, manner: Manner, socket: Socket): Client {
  const { login, mode } = target;
  const binding = login.options["channel_binding"];
  return new Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: login.username,
    password: login.password ?? "",
    application_name: "agent",
    ssl: manner === "tls" ? usableTls(login) : false,
    enableChannelBinding: manner === "tls" && binding !== undefined && binding !== "disable",
    stream: () => socket,
    keepAlive: true,
    ...(mode === "physical" ? { replication: "true" } : {}),
    ...(mode === "sql" ? { options: "-c search_path=pg_catalog" } : {}),
  });
}

function usableTls({ options }: RoleLogin): ConnectionOptions {
  try {
    return sessionTls(options);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const message = `Cannot use the certificates of this login: ${cause.message}`;
    throw new PostgresUnreachable(message, null, { cause });
  }
}
