import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { TaskView } from "../../lib/core/node_view.ts";
import {
  newOperation,
  operationDocument,
  seenOperations,
  settled,
  withOperation,
} from "../../lib/core/operations.ts";
import type { Operation } from "../../lib/core/operations.ts";
import { cluster, handover, lockOf, nodeView, unreachable } from "./builders.ts";

const WALL_MS = nodeView().wallMs;
const DONE = { state: "done", why: "restarted", reply: { status: 200, text: "ok" } } as const;

function operation(overrides: Partial<Operation> = {}): Operation {
  return newOperation({ id: "o1", kind: "restart", member: "a", askedMs: WALL_MS, ...overrides });
}

Deno.test("withOperation() keeps 50, forgetting the oldest that have ended", () => {
  let all: readonly Operation[] = [operation({ id: "first" })];
  for (let count = 1; count <= 60; count++) {
    all = settled(withOperation(all, operation({ id: `o${count}` })), `o${count}`, DONE, WALL_MS);
  }
  strictEqual(all.length, 50);
  strictEqual(all[0]?.id, "o60");
  strictEqual(all.at(-1)?.id, "first");
});

Deno.test("settled() ends an operation once", () => {
  const [first] = settled([operation()], "o1", DONE, WALL_MS + 5);
  deepStrictEqual([first?.state, first?.endedMs, first?.reply?.status], ["done", WALL_MS + 5, 200]);
  const other = { state: "failed", why: "late", reply: null } as const;
  deepStrictEqual(settled(first ? [first] : [], "o1", other, WALL_MS + 9), [first]);
});

Deno.test("seenOperations() follows the job of an order, with its progress", () => {
  const source = { name: "b", connUrl: "" };
  const errand = { kind: "reinitialize", id: "o1" } as const;
  const task: TaskView = {
    kind: "running",
    task: { kind: "clone", source, old: "remove", why: "", errand },
    sinceMs: 0,
    cancellable: true,
    progress: "copied 1 of 4 MB",
    bytes: { done: 1 << 20, total: 4 << 20 },
  };
  const [found] = seenOperations([operation()], nodeView({ task }), initialMemory);
  const document = found === undefined ? {} : operationDocument(found);
  deepStrictEqual([document["state"], document["why"]], [
    "running",
    "clone has been running for 1000 s",
  ]);
  deepStrictEqual(document["progress"], {
    text: "copied 1 of 4 MB",
    fraction: 0.25,
    bytes: 1 << 20,
    bytes_total: 4 << 20,
  });
  strictEqual(document["started_at"], new Date(WALL_MS).toISOString());
});

Deno.test("seenOperations() leaves a waiting order queued, and a begun one running between its jobs", () => {
  const [waiting] = seenOperations([operation()], nodeView(), initialMemory);
  const begun = { ...initialMemory, begunErrand: "o1" };
  const [between] = seenOperations([operation()], nodeView(), begun);
  deepStrictEqual([waiting?.state, between?.state], ["queued", "running"]);
});

function switchover(scheduledMs: number | null): Operation {
  const order = { action: "switchover", leader: "a", candidate: "b", oldLeader: "a" } as const;
  return operation({
    kind: "switchover",
    state: scheduledMs === null ? "running" : "queued",
    scheduledMs,
    handover: {
      handover: { ...order, scheduledAtMs: scheduledMs },
      readRevision: 100n,
      revision: 101n,
    },
  });
}

/** States after each of these looks, the same operation all the time. */
function states(
  first: Operation,
  ...looks: readonly (readonly [cluster: ClusterView, afterMs: number])[]
): readonly string[] {
  let all: readonly Operation[] = [first];
  return looks.map(([seen, afterMs]) => {
    const view = nodeView({ cluster: seen, wallMs: WALL_MS + afterMs });
    all = seenOperations(all, view, initialMemory);
    return all[0]?.state ?? "";
  });
}

const WISH = handover({ leader: "a", candidate: "b", revision: 101n });

Deno.test("F9 seenOperations() ends a switchover with the new leader, not with the lock free", () => {
  const first = switchover(null);
  const pending = cluster({ revision: 101n, handover: WISH });
  const free = cluster({ revision: 102n, handover: WISH, lock: null });
  const led = cluster({ revision: 103n, lock: "b" });
  deepStrictEqual(states(first, [pending, 0], [free, 1], [led, 2]), ["running", "running", "done"]);
  deepStrictEqual(states(first, [pending, 0], [cluster({ revision: 102n }), 1]), [
    "running",
    "failed",
  ]);
  deepStrictEqual(states(first, [pending, 0], [pending, 3_600_000]), ["running", "unknown"]);
});

Deno.test("seenOperations() learns nothing from a silent store or an older view", () => {
  const old = nodeView({ cluster: cluster({ revision: 100n, lock: "b" }) });
  for (const view of [old, nodeView({ cluster: unreachable() })]) {
    const seen = seenOperations([switchover(null), switchover(WALL_MS + 1)], view, initialMemory);
    deepStrictEqual(seen.map(({ state }) => state), ["running", "queued"]);
  }
});

Deno.test("seenOperations() follows a scheduled switchover to its time and its end", () => {
  const first = switchover(WALL_MS + 1000);
  const pending = cluster({ revision: 101n, handover: WISH });
  const led = cluster({ revision: 103n, lock: lockOf("b") });
  deepStrictEqual(states(first, [pending, 0], [pending, 1000], [led, 2000]), [
    "queued",
    "running",
    "done",
  ]);
});

Deno.test("seenOperations() takes no failover before the time for the scheduled switchover", () => {
  const first = switchover(WALL_MS + 1000);
  const failedOver = cluster({ revision: 102n, handover: WISH, lock: "c" });
  const dropped = cluster({ revision: 103n, lock: "c" });
  deepStrictEqual(states(first, [failedOver, 0], [dropped, 1001]), ["queued", "failed"]);
});

Deno.test("seenOperations() says that a scheduled switchover was withdrawn before its time", () => {
  const gone = cluster({ revision: 102n });
  deepStrictEqual(states(switchover(WALL_MS + 1000), [gone, 1]), ["refused"]);
});
