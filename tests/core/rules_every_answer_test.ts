import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import {
  cluster,
  down,
  held,
  lockOf,
  nodeView,
  NOW_MS,
  primary,
  replica,
  self,
  unreachable,
} from "./builders.ts";

const ARMED = { endsMs: NOW_MS + 3000, inherited: false };
const NONE = { kind: "none" } as const;
const BOOTSTRAP = {
  kind: "running",
  task: { kind: "bootstrap" },
  sinceMs: NOW_MS,
  cancellable: true,
  progress: null,
} as const;
const ORDERS = ["stop", "abandon-bootstrap", "hold-lock", "exit"];

function ordered(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

/** Node "a" without the lock, which "b" holds, under an armed switch unless overridden. */
function deposed(overrides: Partial<NodeView>): NodeView {
  return nodeView({ cluster: cluster({ lock: "b" }), lease: NONE, armed: ARMED, ...overrides });
}

function disarms(view: NodeView, memory: Memory = initialMemory): boolean {
  return ordered(view, memory).includes("disarm-switch");
}

Deno.test("decide() disarms before it starts a server that is to follow", () => {
  const [first, ...rest] = ordered(deposed({
    postgres: down({ state: "shut down in recovery" }),
    leader: { kind: "failed", name: "b", why: "no answer" },
  }));
  strictEqual(first, "disarm-switch");
  deepStrictEqual(rest, ["start-replica"]);
});

Deno.test("A25 decide() disarms before a stopped leader comes back read-only without the store", () => {
  const task = {
    kind: "ended",
    task: {
      kind: "stop",
      how: "fast",
      checkpointFirst: false,
      escalation: { immediateAtMs: null, killAtMs: null },
      why: "",
    },
    result: "done",
    reason: null,
    endedMs: NOW_MS,
  } as const;
  const view = deposed({ cluster: unreachable(), postgres: down(), lease: held(3000), task });
  deepStrictEqual(ordered(view), ["disarm-switch", "start-replica"]);
});

Deno.test("decide() leaves an armed switch alone while the server may write or the lock is held", () => {
  const asked = { ...initialMemory, promoteAskedMs: NOW_MS - 1 };
  strictEqual(disarms(nodeView({ armed: ARMED })), false);
  strictEqual(disarms(nodeView({ armed: ARMED, postgres: down() })), false);
  strictEqual(disarms(deposed({ postgres: primary() })), false);
  strictEqual(disarms(deposed({ postgres: replica() }), asked), false);
  strictEqual(disarms(deposed({ postgres: replica() })), true);
});

Deno.test("decide() keeps the switch of the process before over a replica: it may have been promoted", () => {
  const armed = { ...ARMED, inherited: true };
  strictEqual(disarms(deposed({ postgres: replica(), armed })), false);
  strictEqual(disarms(deposed({ postgres: down(), armed })), true);
});

Deno.test("decide() disarms over a directory without data when it was fenced or is to be filled", () => {
  const empty = { postgres: { kind: "no-data" } } as const;
  strictEqual(disarms(deposed({ ...empty, cluster: cluster({ lock: null }) })), false);
  deepStrictEqual(ordered(deposed(empty)), ["disarm-switch", "clone"]);
  const over = { ...ARMED, endsMs: NOW_MS };
  strictEqual(disarms(deposed({ ...empty, cluster: cluster({ lock: null }), armed: over })), true);
});

Deno.test("decide() disarms between the release of the lock and the end of the agent", () => {
  const wishes = [{ kind: "shutdown" }] as const;
  const view = nodeView({ postgres: down(), armed: ARMED, wishes });
  deepStrictEqual(ordered(view), ["release-lock", "disarm-switch", "exit"]);
});

Deno.test("decide() gives a left-over bootstrap claim back last when another member leads", () => {
  const claimed = cluster({ lock: "b", systemId: "" });
  const cases: readonly [string, Partial<NodeView>, readonly string[]][] = [
    ["a primary", {}, ["stop", "abandon-bootstrap"]],
    ["a replica", { postgres: replica() }, ["abandon-bootstrap"]],
    ["a bootstrap that runs", { task: BOOTSTRAP }, ["abandon-bootstrap"]],
    ["a founded cluster", { cluster: cluster({ lock: "b" }), postgres: replica() }, []],
    ["the own lock", { cluster: { ...claimed, lock: lockOf("a") }, lease: held() }, ["hold-lock"]],
    ["no leader", { cluster: { ...claimed, lock: null }, task: BOOTSTRAP }, []],
    [
      "no bootstrap by configuration",
      { self: self({ mayBootstrap: false }), postgres: replica() },
      [],
    ],
    ["an agent that leaves", { wishes: [{ kind: "shutdown" }], postgres: down() }, ["exit"]],
  ];
  for (const [what, overrides, wanted] of cases) {
    const view = nodeView({ cluster: claimed, lease: NONE, ...overrides });
    const actions = ordered(view).filter((kind) => ORDERS.includes(kind));
    deepStrictEqual(actions, wanted, what);
  }
});

Deno.test("decide() does not give a claim back in a round that looks again", () => {
  const view = nodeView({
    cluster: cluster({ lock: "b", systemId: "" }),
    lease: NONE,
    postgres: replica({ streaming: false }),
  });
  deepStrictEqual(ordered(view), ["inspect-leader"]);
  const leader = { kind: "failed", name: "b", why: "no answer" } as const;
  deepStrictEqual(ordered({ ...view, leader }).at(-1), "abandon-bootstrap");
});
