import type { Clock } from "../../lib/base/clock.ts";
import { ConfigError, DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ClusterAccess, CommandContext } from "../../lib/cli/command.ts";
import { visible } from "../../lib/cli/output.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import type { SqlAnswer, SqlRequest } from "../../lib/cli/sql_access.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import type { WriteResult } from "../../lib/dcs/port.ts";
import { cluster } from "../core/builders.ts";

/** A request that a command sent; a DELETE has the word in front of its URL. */
export interface Sent {
  readonly url: string;
  readonly body: JsonObject;
}

/** A world for one command, and what the command did to it. */
export interface World {
  readonly context: CommandContext;
  readonly sent: Sent[];
  /** What was written to the store. */
  readonly written: unknown[];
  readonly queries: SqlRequest[];
  /** Texts that were kept in files. */
  readonly kept: string[];
  readonly questions: string[];
  readonly out: string[];
  readonly err: string[];
}

/** What is different from a healthy cluster of a, b and c with an operator who says yes. */
export interface WorldOptions {
  /** What the store shows at each read; the last one goes on. null: it does not answer. */
  readonly views?: readonly (ClusterView | null)[];
  /** Ports (of builders) where no agent answers. */
  readonly deadPorts?: readonly number[];
  /** To everything that changes something, or by URL. */
  readonly answer?: RemoteAnswer | ((url: string) => RemoteAnswer);
  /** What each GET brings, one after the other; the last one goes on. */
  readonly page?: string | readonly string[];
  /** Whether members answer a look at their agent, one after the other; the last one goes on. */
  readonly lives?: readonly boolean[];
  /** Orders get no answer. */
  readonly hangs?: true;
  /** How the store takes a write. */
  readonly written?: WriteResult;
  /** What the server of a member says. */
  readonly sql?: SqlAnswer;
  /** What the editor makes of its text. */
  readonly editor?: (text: string) => string;
  readonly files?: Readonly<Record<string, string>>;
  /** null: no terminal. Several: one after the other. */
  readonly reply?: string | null | readonly string[];
  readonly force?: boolean;
  readonly format?: CommandContext["format"];
  /** Of the terminal; absent: none. */
  readonly width?: number;
  /** How many outputs until the reader goes away. */
  readonly patience?: number;
}

/** Builds it. Time passes only by sleeping. */
export function world(options: WorldOptions = {}): World {
  const { views = [cluster()], force = false, format = "pretty" } = options;
  const record: Omit<World, "context"> = {
    sent: [],
    written: [],
    queries: [],
    kept: [],
    questions: [],
    out: [],
    err: [],
  };
  const context: CommandContext = {
    format,
    force,
    ownApiUrl: "http://127.0.0.1:8001",
    clock: virtualClock(),
    output: {
      out: (text) => Promise.resolve(void record.out.push(visible(text))),
      err: (text) => Promise.resolve(void record.err.push(visible(text))),
      clear: () => Promise.resolve(),
      width: () => options.width ?? null,
      isGone: () => record.out.length + record.err.length >= (options.patience ?? Infinity),
    },
    prompt: promptOf(record.questions, options.reply),
    cluster: storeOf("demo", views, record.written, options.written),
    clusterNamed: (scope) => storeOf(scope, views, record.written, options.written),
    remote: remoteOf(record.sent, options),
    sql: sqlOf(record.queries, options.sql),
    workplace: workplaceOf(record.kept, options),
  };
  return { ...record, context };
}

function remoteOf(
  sent: Sent[],
  options: WorldOptions,
): CommandContext["remote"] {
  const { page, deadPorts = [], lives = [true], hangs } = options;
  const { answer = { kind: "answered", status: 200, text: "Done" } } = options;
  let looks = 0;
  const nextPage = inTurn(page ?? '{"role":"replica"}');
  const isDead = (url: string): boolean => deadPorts.includes(Number(new URL(url).port));
  const send = (method: string) => (url: string, body: JsonObject = {}): Promise<RemoteAnswer> => {
    sent.push({ url: `${method}${url}`, body });
    const given = typeof answer === "function" ? answer(`${method}${url}`) : answer;
    return Promise.resolve(isDead(url) ? SILENT : given);
  };
  const change = send("");
  return {
    get: (url) => {
      if (isDead(url)) return Promise.resolve(SILENT);
      if (url.endsWith("/liveness")) {
        const isAlive = lives[Math.min(looks++, lives.length - 1)] ?? true;
        return Promise.resolve(isAlive ? pageAnswer("") : LOST);
      }
      return Promise.resolve(pageAnswer(nextPage()));
    },
    post: change,
    order: async (url, body, signal) => {
      if (hangs === undefined) return await change(url, body);
      await change(url, body);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return LOST;
    },
    patch: change,
    delete: (url) => send("DELETE ")(url),
  };
}

function sqlOf(queries: SqlRequest[], given: SqlAnswer = ONE_ROW): CommandContext["sql"] {
  return {
    run: (request, accepts) => {
      queries.push(request);
      return Promise.resolve(given.kind === "rows" && !accepts(given.isReplica) ? null : given);
    },
  };
}

function workplaceOf(
  kept: string[],
  { files = {}, editor = (same) => same }: WorldOptions,
): CommandContext["workplace"] {
  return {
    read: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(new ConfigError(`Cannot read ${path}: no such file`, []))
        : Promise.resolve(text);
    },
    edit: (text) => Promise.resolve(editor(text)),
    keep: (text) => Promise.resolve((kept.push(text), `/tmp/kept-${kept.length}`)),
  };
}

/** What the pages of a member look like when it knows no such path. */
export const NOT_FOUND = "404";

/** In the place of a page: the member does not answer. */
export const DEAD = "dead";

const SILENT: RemoteAnswer = { kind: "unreachable", why: "connection refused" };

const LOST: RemoteAnswer = { kind: "lost", why: "no answer", isLate: true };

const ONE_ROW: SqlAnswer = {
  kind: "rows",
  isReplica: false,
  result: { columns: ["one"], rows: [["1"]], tag: "SELECT 1" },
};

function pageAnswer(text: string): RemoteAnswer {
  if (text === DEAD) return SILENT;
  return text === NOT_FOUND
    ? { kind: "answered", status: 404, text: "no such operation" }
    : { kind: "answered", status: 200, text };
}

/** Each of the values, then the last one again and again. */
function inTurn(values: string | readonly string[]): () => string {
  const all = typeof values === "string" ? [values] : values;
  let next = 0;
  return () => all[Math.min(next++, all.length - 1)] ?? "";
}

function promptOf(
  questions: string[],
  reply: WorldOptions["reply"] = "y",
): CommandContext["prompt"] {
  const answer = inTurn(reply ?? "");
  const ask = (question: string): Promise<string> =>
    Promise.resolve((questions.push(question), answer()));
  return { isTerminal: reply !== null, ask, askSecret: ask };
}

function storeOf(
  scope: string,
  views: readonly (ClusterView | null)[],
  written: unknown[],
  result: WriteResult = { kind: "done", revision: 7n },
): ClusterAccess {
  let reads = 0;
  const write = (...what: readonly unknown[]): Promise<WriteResult> => {
    written.push(what);
    return Promise.resolve(result);
  };
  return {
    scope,
    read: () => {
      const view = views[Math.min(reads++, views.length - 1)] ?? null;
      if (view === null) return Promise.reject(new DcsUnreachable("Cannot ask etcd: no answer"));
      return Promise.resolve(view);
    },
    writeConfig: (config, revision) => write("config", config, revision),
    clearHandover: (revision) => write("handover", revision),
    remove: (holder) => write("remove", scope, holder),
  };
}

function virtualClock(): Clock {
  let nowMs = 0;
  return {
    bootMs: () => nowMs,
    wallMs: () => nowMs,
    sleep: (ms) => Promise.resolve(void (nowMs += ms)),
    beat: () => Promise.resolve(void (nowMs += 1000)),
  };
}
