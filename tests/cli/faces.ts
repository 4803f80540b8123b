import type { Clock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { CommandContext } from "../../lib/cli/command.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { cluster } from "../core/builders.ts";

/** A request that a command sent. */
export interface Sent {
  readonly url: string;
  readonly body: JsonObject;
}

/** A world for one command, and what the command did to it. */
export interface World {
  readonly context: CommandContext;
  readonly sent: Sent[];
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
  readonly answer?: RemoteAnswer;
  /** What each GET brings. */
  readonly page?: string;
  /** null: no terminal. */
  readonly reply?: string | null;
  readonly force?: boolean;
  readonly format?: CommandContext["format"];
}

/** Builds it. Time passes only by sleeping. */
export function world(options: WorldOptions = {}): World {
  const { views = [cluster()], deadPorts = [], reply = "y", force = false } = options;
  const { page = '{"role":"replica"}' } = options;
  const { format = "pretty", answer = { kind: "answered", status: 200, text: "Done" } } = options;
  const record: Omit<World, "context"> = { sent: [], questions: [], out: [], err: [] };
  let reads = 0;
  const change = (url: string, body: JsonObject): Promise<RemoteAnswer> => {
    record.sent.push({ url, body });
    return Promise.resolve(isDead(url) ? SILENT : answer);
  };
  const context: CommandContext = {
    format,
    force,
    ownApiUrl: "http://127.0.0.1:8001",
    clock: virtualClock(),
    output: {
      out: (text) => Promise.resolve(void record.out.push(text)),
      err: (text) => Promise.resolve(void record.err.push(text)),
    },
    prompt: {
      isTerminal: reply !== null,
      ask: (question) => Promise.resolve((record.questions.push(question), reply ?? "")),
    },
    cluster: {
      scope: "demo",
      read: () => {
        const view = views[Math.min(reads++, views.length - 1)] ?? null;
        if (view === null) return Promise.reject(new DcsUnreachable("Cannot ask etcd: no answer"));
        return Promise.resolve(view);
      },
    },
    remote: {
      get: (url) => Promise.resolve(isDead(url) ? SILENT : { ...PAGE, text: page }),
      post: change,
      patch: change,
    },
  };
  const isDead = (url: string): boolean => deadPorts.includes(Number(new URL(url).port));
  return { ...record, context };
}

const PAGE = { kind: "answered", status: 200 } as const;
const SILENT: RemoteAnswer = { kind: "unreachable", why: "connection refused" };

function virtualClock(): Clock {
  let nowMs = 0;
  return {
    bootMs: () => nowMs,
    wallMs: () => nowMs,
    sleep: (ms) => Promise.resolve(void (nowMs += ms)),
  };
}
