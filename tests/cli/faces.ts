import type { Clock } from "../../lib/base/clock.ts";
import { ConfigError, DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ClusterAccess, CommandContext } from "../../lib/cli/command.ts";
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
  /** How many outputs until the reader goes away. */
  readonly patience?: number;
}

/** Builds it. Time passes only by sleeping. */
export function world(options: WorldOptions = {}): World {
  const { views = [cluster()], deadPorts = [], force = false, format = "pretty" } = options;
  const record: Omit<World, "context"> = {
    sent: [],
    written: [],
    queries: [],
    kept: [],
    questions: [],
    out: [],
    err: [],
  };
  const nextPage = inTurn(options.page ?? '{"role":"replica"}');
  const isDead = (url: string): boolean => deadPorts.includes(Number(new URL(url).port));
  const answer = options.answer ?? { kind: "answered", status: 200, text: "Done" };
  const send = (method: string) => (url: string, body: JsonObject = {}): Promise<RemoteAnswer> => {
    record.sent.push({ url: `${method}${url}`, body });
    const given = typeof answer === "function" ? answer(`${method}${url}`) : answer;
    return Promise.resolve(isDead(url) ? SILENT : given);
  };
  const change = send("");
  const context: CommandContext = {
    format,
    force,
    ownApiUrl: "http://127.0.0.1:8001",
    clock: virtualClock(),
    output: {
      out: (text) => Promise.resolve(void record.out.push(text)),
      err: (text) => Promise.resolve(void record.err.push(text)),
      clear: () => Promise.resolve(),
      isGone: () => record.out.length + record.err.length >= (options.patience ?? Infinity),
    },
    prompt: promptOf(options.reply, record.questions),
    cluster: storeOf("demo", views, options.written, record.written),
    clusterNamed: (scope) => storeOf(scope, views, options.written, record.written),
    remote: {
      get: (url) => Promise.resolve(isDead(url) ? SILENT : pageAnswer(nextPage())),
      post: change,
      order: change,
      patch: change,
      delete: (url) => send("DELETE ")(url),
    },
    sql: {
      run: (request, accepts) => {
        record.queries.push(request);
        const given = options.sql ?? ONE_ROW;
        return Promise.resolve(given.kind === "rows" && !accepts(given.isReplica) ? null : given);
      },
    },
    workplace: {
      read: (path) => {
        const text = options.files?.[path];
        return text === undefined
          ? Promise.reject(new ConfigError(`Cannot read ${path}: no such file`, []))
          : Promise.resolve(text);
      },
      edit: (text) => Promise.resolve((options.editor ?? ((same) => same))(text)),
      keep: (text) => Promise.resolve((record.kept.push(text), `/tmp/kept-${record.kept.length}`)),
    },
  };
  return { ...record, context };
}

/** What the pages of a member look like when it knows no such path. */
export const NOT_FOUND = "404";

const SILENT: RemoteAnswer = { kind: "unreachable", why: "connection refused" };

const ONE_ROW: SqlAnswer = {
  kind: "rows",
  isReplica: false,
  result: { columns: ["one"], rows: [["1"]], tag: "SELECT 1" },
};

function pageAnswer(text: string): RemoteAnswer {
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
  reply: WorldOptions["reply"] = "y",
  questions: string[],
): CommandContext["prompt"] {
  const answer = inTurn(reply ?? "");
  const ask = (question: string): Promise<string> =>
    Promise.resolve((questions.push(question), answer()));
  return { isTerminal: reply !== null, ask, askSecret: ask };
}

function storeOf(
  scope: string,
  views: readonly (ClusterView | null)[],
  result: WriteResult = { kind: "done", revision: 7n },
  written: unknown[],
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
  };
}
