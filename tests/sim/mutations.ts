import type { Action, Decision } from "../../lib/core/action.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { productBrain } from "./brain.ts";
import type { FaultKind, Planted } from "./plan.ts";
import type { Brain } from "./world.ts";

/** A deliberate fault that the simulator must find. */
export interface Mutation {
  readonly name: string;
  readonly brain: Brain;
  readonly planted: Planted;
  /** Kinds of faults that must exist for it to matter; added to what the seed draws. */
  readonly needs: readonly FaultKind[];
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
  {
    ...inView("promotes without the lock", ["agent-stall"], (view) => ({
      ...view,
      lease: view.postgres.kind === "replica"
        ? { kind: "held", endsMs: view.nowMs + 30_000 }
        : view.lease,
    })),
  },
  inView("peers that are ahead are not looked at", ["peer-cut", "agent-kill"], (view) => ({
    ...view,
    peers: view.peers === "not asked" ? view.peers : [],
  })),
  {
    ...inDecide("the expiry of a promotion is not looked at", ["agent-stall"], noExpiry),
    planted: { ignoresNotAfter: true },
  },
  planted("an unknown take-lock counts as success", ["reply-lost", "store-cut"], {
    trustsUnknownTake: true,
  }),
  planted("a lease counts from the answer", ["store-slow"], { countsFromAnswer: true }),
  planted("a refused renewal is passed over", ["agent-stall"], { ignoresRefusal: true }),
  planted("a lease never ends by itself", ["store-cut"], { neverEnds: true }),
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

function withoutTask(decision: Decision, kind: string): Decision {
  const kept = decision.actions.filter((action) =>
    action.kind !== "start-task" || action.task.kind !== kind
  );
  return { ...decision, actions: kept };
}

function noExpiry(decision: Decision): Decision {
  const actions = decision.actions.map((action): Action => {
    if (action.kind !== "start-task" || action.task.kind !== "promote") return action;
    return { kind: "start-task", task: { kind: "promote", notAfterMs: FAR_MS } };
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
