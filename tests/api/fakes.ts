import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { silentLog } from "../../lib/base/log.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import type { Caller } from "../../lib/api/access.ts";
import { createApp } from "../../lib/api/app.ts";
import type { ApiContext } from "../../lib/api/context.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import type { Action } from "../../lib/core/action.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView, OperatorWish } from "../../lib/core/node_view.ts";
import type { Dcs, HandoverWrite, StoreHealth, WriteResult } from "../../lib/dcs/port.ts";
import { LiveBoard } from "../../lib/runtime/live_board.ts";
import { cluster, nodeView, NOW_MS, peer } from "../core/builders.ts";

/** The store as endpoints see it; its address tells that no test reaches it. */
export const STORE: StoreHealth = {
  endpoints: [{ url: "http://e1:2379", reachable: true, lastError: null }],
  lastSeenWallMs: 1_767_261_600_000,
};

/** A store of two keys, `failover` and `config`, with compare on their revisions as etcd has it. Other writes are refused. */
export class FakeDcs implements Dcs {
  view: ClusterView | "unreachable";
  readonly writes: HandoverWrite[] = [];
  /** What the next write of a request answers instead of being carried out. */
  writeAnswer: WriteResult | null = null;

  constructor(view: ClusterView | "unreachable") {
    this.view = view;
  }

  read(): Promise<ClusterView> {
    if (this.view !== "unreachable") return Promise.resolve(this.view);
    return Promise.reject(new DcsUnreachable("Cannot read the store: no endpoint answers"));
  }

  writeHandover(wish: HandoverWrite, revision: bigint): Promise<WriteResult> {
    if (this.writeAnswer !== null) return Promise.resolve(this.writeAnswer);
    const view = this.view;
    if (view === "unreachable") return Promise.resolve({ kind: "unknown", why: "no answer" });
    const present = view.handover?.revision ?? 0n;
    if (present !== revision) return Promise.resolve({ kind: "refused", why: "it changed" });
    this.writes.push(wish);
    const next = view.revision + 1n;
    const { leader, candidate } = wish;
    const scheduledAtMs = wish.scheduledAt === null ? null : Date.parse(wish.scheduledAt);
    const handover = { leader, candidate, scheduledAtMs, revision: next };
    this.view = { ...view, revision: next, handover };
    return Promise.resolve({ kind: "done", revision: next });
  }

  writeConfig(raw: JsonObject, revision: bigint): Promise<WriteResult> {
    if (this.writeAnswer !== null) return Promise.resolve(this.writeAnswer);
    const view = this.view;
    if (view === "unreachable") return Promise.resolve({ kind: "unknown", why: "no answer" });
    const present = view.config?.revision ?? 0n;
    if (present !== revision) return Promise.resolve({ kind: "refused", why: "it changed" });
    const next = view.revision + 1n;
    this.view = { ...view, revision: next, config: { raw, revision: next } };
    return Promise.resolve({ kind: "done", revision: next });
  }

  clearHandover(revision: bigint): Promise<WriteResult> {
    if (this.writeAnswer !== null) return Promise.resolve(this.writeAnswer);
    const view = this.view;
    if (view === "unreachable") return Promise.resolve({ kind: "unknown", why: "no answer" });
    if (view.handover?.revision !== revision) {
      return Promise.resolve({ kind: "refused", why: "it changed" });
    }
    const next = view.revision + 1n;
    this.view = { ...view, revision: next, handover: null };
    return Promise.resolve({ kind: "done", revision: next });
  }

  grantLease = (): Promise<string> => Promise.resolve("1");
  keepLeaseAlive = (): Promise<boolean> => Promise.resolve(false);
  revokeLease = (): Promise<void> => Promise.resolve();
  renewLock = (): Promise<{ kind: "lease-gone" }> => Promise.resolve({ kind: "lease-gone" });
  takeLock = refuse;
  retakeLock = refuse;
  releaseLock = refuse;
  writeMember = refuse;
  claimBootstrap = refuse;
  abandonBootstrap = refuse;
  foundCluster = refuse;
  restoreKeys = refuse;
  writeStatus = refuse;
  writeHistory = refuse;
  writeFailsafe = refuse;
  watch = (): Promise<void> => Promise.resolve();
  health = (): StoreHealth => STORE;
}

function refuse(): Promise<WriteResult> {
  return Promise.resolve({ kind: "refused", why: "REST handlers must not do this" });
}

/** Somebody on this host, by plain http. */
export const NEIGHBOUR: Caller = {
  address: "127.0.0.1",
  scheme: "http",
  certificate: "not asked",
};

/** A served API with everything around it in the hands of the test. */
export class TestApi {
  readonly dcs: FakeDcs;
  readonly board: LiveBoard;
  readonly wakes: string[] = [];
  /** Wishes that wait for the loop. */
  readonly wishes = new Set<OperatorWish>();
  readonly context: ApiContext;

  constructor(overrides: Partial<ApiContext> = {}, view: NodeView = nodeView()) {
    this.dcs = new FakeDcs(view.cluster.kind === "seen" ? view.cluster : "unreachable");
    this.board = new LiveBoard(() => view.lease, STORE);
    this.publish(view);
    this.context = {
      name: "a",
      scope: "demo",
      board: this.board,
      mailbox: {
        wake: (why) => void this.wakes.push(why),
        post: (wish) => void this.wishes.add(wish),
        wishes: () => [...this.wishes],
        fulfil: (wish) => void this.wishes.delete(wish),
        withdraw: (operation) => {
          for (const wish of this.wishes) {
            if ("id" in wish && wish.id === operation) this.wishes.delete(wish);
          }
        },
      },
      dcs: this.dcs,
      clock: { ...systemClock, bootMs: () => NOW_MS, wallMs: () => view.wallMs },
      log: silentLog,
      access: () => OPEN_ACCESS,
      askPeers: (members) => Promise.resolve(members.map(({ name }) => peer(name))),
      probe: null,
      reload: () => Promise.resolve({ isTaken: true, text: "Reloaded" }),
      handoverLimitS: 5,
      ...overrides,
    };
  }

  /** Hangs a picture out as the loop does. */
  publish(view: NodeView, actions: readonly Action[] = []): void {
    this.board.publish({
      view,
      decision: { rule: "lead", why: "I hold the lock", actions, again: false, wakeAtMs: null },
      outcomes: [],
      memory: initialMemory,
      store: STORE,
      nextTickMs: view.nowMs + 10_000,
      endedMs: view.nowMs,
    });
  }

  /** Hangs out what the loop sees after `changes` in the store. */
  see(changes: Parameters<typeof cluster>[0]): void {
    this.publish(nodeView({ cluster: cluster({ revision: 200n, ...changes }) }));
  }

  /** Sends one request to the handlers, without a socket. */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const app = createApp(this.context);
    const request = new Request(`http://localhost${path}`, init);
    return await app(request, new AbortController().signal, NEIGHBOUR);
  }

  /** POST without a body, at a server that ends when `closing` aborts. */
  sendUntil(path: string, closing: AbortSignal): Promise<Response> {
    const request = new Request(`http://localhost${path}`, { method: "POST" });
    return createApp(this.context)(request, closing, NEIGHBOUR);
  }

  /** POST of a JSON body. */
  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.#sendBody("POST", path, body, headers);
  }

  /** PATCH of a JSON body. */
  patch(path: string, body: unknown): Promise<Response> {
    return this.#sendBody("PATCH", path, body, {});
  }

  /** PUT of a JSON body. */
  put(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.#sendBody("PUT", path, body, headers);
  }

  #sendBody(
    method: "POST" | "PATCH" | "PUT",
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Response> {
    const text = JSON.stringify(body);
    const length = String(new TextEncoder().encode(text).length);
    return this.send(path, {
      method,
      body: text,
      headers: { "content-length": length, ...headers },
    });
  }
}
