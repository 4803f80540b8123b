import type { Action, Decision } from "../../lib/core/action.ts";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import type { NodeView, PeerReport } from "../../lib/core/node_view.ts";
import { productBrain } from "./brain.ts";
import type { FaultKind, Plan, Planted } from "./plan.ts";
import type { Brain } from "./world.ts";

/** A deliberate fault that the simulator must find. */
export interface Mutation {
  readonly name: string;
  readonly brain: Brain;
  readonly planted: Planted;
  /** Kinds of faults that must exist for it to matter; nothing else happens in its runs. */
  readonly needs: readonly FaultKind[];
  /** Mean pause between faults, 20 s when absent. */
  readonly everyMs?: number;
  /** What stands outside the agent in its runs; absent: nothing, so that no second line of defence hides it. */
  readonly guard?: Guard;
  /** Failsafe mode is on in its runs; absent: off. */
  readonly failsafe?: true;
  /** The first seed to try, where it takes long to find one; absent: 1. */
  readonly firstSeed?: number;
  /** The shortest lease in its runs, so that one answer may outlast it; absent: that of the seed. */
  readonly shortLease?: true;
}

/** What stops a server, or resets its host, without the agent. */
export type Guard = "switch" | "watchdog" | "both" | "none";

/** The part of a plan that says what guards its hosts. */
export function guardedBy(guard: Guard | undefined): Pick<Plan, "hasSwitch" | "watchdog"> {
  return {
    hasSwitch: guard === "switch" || guard === "both",
    watchdog: { kind: guard === "watchdog" || guard === "both" ? "ready" : "off" },
  };
}

const FAR_MS = 1e15;

/** Planted bugs: each takes away one protection. */
export const MUTATIONS: readonly Mutation[] = [
  inDecide("the stop time is ignored", ["store-cut"], (decision, view) => {
    return view.lease.kind === "held" ? withoutTask(decision, "stop") : decision;
  }),
  inDecide("a lost lease stops nothing", ["store-cut"], (decision, view) => {
    return view.postgres.kind === "primary" ? withoutTask(decision, "stop") : decision;
  }),
  inDecide("a replica promotes without the lock", ["agent-kill"], (decision, view) => {
    const free = view.cluster.kind === "seen" && view.cluster.lock === null;
    if (!free || view.postgres.kind !== "replica" || view.task.kind === "running") return decision;
    const task = { kind: "promote", notAfterMs: view.nowMs + 10_000 } as const;
    return { ...decision, actions: [{ kind: "start-task", task }], again: false };
  }),
  {
    ...inView("peers that are ahead are not looked at", ["host-kill"], (view) => ({
      ...view,
      peers: view.peers === "not asked" ? view.peers : view.peers.map(behind),
    })),
    firstSeed: 110,
  },
  {
    ...inDecide(
      "the expiry of a promotion is not looked at",
      ["stall-in-task", "server-crash"],
      noExpiry,
    ),
    planted: { ignoresNotAfter: true },
  },
  planted("a renewal without an answer counts as success", ["store-cut"], {
    trustsLostRenewal: true,
  }),
  {
    ...planted("a lease counts from the answer", ["store-slow", "store-cut", "slow-server"], {
      countsFromAnswer: true,
    }),
    firstSeed: 70,
  },
  planted("a lease never ends by itself", ["store-cut"], { neverEnds: true }),
  planted("a lock that was given up is kept alive", ["reply-lost", "handover"], {
    feedsDropped: true,
  }),
  inDecide(
    "a wish is never cleared",
    ["handover"],
    (decision) => without(decision, "clear-handover"),
  ),
  inDecide("nobody makes slots", ["agent-kill"], (decision) => without(decision, "sync-slots")),
  {
    ...inView("forked histories look alike", ["agent-stall", "host-kill"], (view) => ({
      ...view,
      leader: view.leader === "not asked" || view.leader.kind === "failed"
        ? view.leader
        : { ...view.leader, history: [] },
    })),
    everyMs: 6000,
  },
  inDecide("a stop is never harsh", ["slow-server", "store-cut"], (decision) => ({
    ...decision,
    actions: decision.actions.map(gentle),
  })),
  inDecide("the lock is released while the server runs", ["handover"], (decision, view) => {
    const running = view.postgres.kind === "primary" && view.cluster.kind === "seen" &&
      view.cluster.handover !== null && view.lease.kind === "held";
    return running
      ? { ...decision, actions: [{ kind: "release-lock", lastLsn: null }], again: false }
      : decision;
  }),
  inDecide("the answer depends on a counter", [], counting()),
];

function inDecide(
  name: string,
  needs: readonly FaultKind[],
  change: (decision: Decision, view: NodeView) => Decision,
): Mutation {
  const decide: Brain["decide"] = (view, memory) => {
    return change(productBrain.decide(view, memory), view);
  };
  return { name, needs, planted: {}, brain: { ...productBrain, decide } };
}

function inView(
  name: string,
  needs: readonly FaultKind[],
  change: (view: NodeView) => NodeView,
): Mutation {
  const decide: Brain["decide"] = (view, memory) => productBrain.decide(change(view), memory);
  return { name, needs, planted: {}, brain: { ...productBrain, decide } };
}

function planted(name: string, needs: readonly FaultKind[], faults: Planted): Mutation {
  return { name, needs, planted: faults, brain: productBrain };
}

function behind(peer: PeerReport): PeerReport {
  return peer.kind === "answered" ? { ...peer, lsn: LSN_ZERO } : peer;
}

function without(decision: Decision, kind: string): Decision {
  return { ...decision, actions: decision.actions.filter((action) => action.kind !== kind) };
}

function withoutTask(decision: Decision, kind: string): Decision {
  const kept = decision.actions.filter((action) =>
    action.kind !== "start-task" || action.task.kind !== kind
  );
  return { ...decision, actions: kept };
}

function noExpiry(decision: Decision): Decision {
  const actions = decision.actions.map((action): Action => {
    if (action.kind !== "start-task") return action;
    const { task } = action;
    if (task.kind !== "promote" && task.kind !== "start-primary") return action;
    return { kind: "start-task", task: { ...task, notAfterMs: FAR_MS } };
  });
  return { ...decision, actions };
}

function gentle(action: Action): Action {
  if (action.kind !== "start-task" || action.task.kind !== "stop") return action;
  const escalation = { immediateAtMs: null, killAtMs: null };
  return { kind: "start-task", task: { ...action.task, how: "fast", escalation } };
}

function counting(): (decision: Decision) => Decision {
  let calls = 0;
  return (decision) => ({ ...decision, why: `${decision.why} ${calls++}` });
}
