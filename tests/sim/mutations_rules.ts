import type { Action, Decision } from "../../lib/core/action.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import type { FaultKind } from "./plan.ts";

const FAR_MS = 1e15;
const SOON_MS = 10_000;

/** Planted bugs of single rules and of the memory. */
export const RULE_MUTATIONS: readonly Mutation[] = [
  decided("a primary goes on although another member leads", ["agent-stall"], (answer, view) => {
    return answer.rule === "follow" && view.postgres.kind === "primary" ? idle(answer) : answer;
  }),
  decided("a replica promotes itself while the store is silent", ["store-down"], (answer, view) => {
    if (view.cluster.kind === "seen" || view.postgres.kind !== "replica") return answer;
    return view.task.kind === "running" ? answer : promoting(answer, view);
  }),
  decided("a start that lost its lock is not stopped", ["store-cut", "server-crash"], (answer) => {
    return answer.rule === "task-running" || answer.rule === "unready" ||
        answer.rule === "lease-lost"
      ? withoutStops(answer)
      : answer;
  }),
  decided("a leader never holds what it has", ["agent-kill"], (answer) => {
    return without(answer, "hold-lock");
  }),
  decided("a server of silence is left alone", ["server-silent", "store-cut"], (answer, view) => {
    return view.postgres.kind === "silent" ? idle(answer) : answer;
  }),
  decided("a bootstrap needs no claim", [], (answer) => without(answer, "claim-bootstrap")),
  decided("nobody follows a new leader", ["agent-kill", "host-kill"], (answer) => {
    return withoutTask(answer, "follow");
  }),
  decided("a race asks for ever", ["agent-kill"], (answer) => {
    return answer.rule === "race" ? { ...answer, again: true } : answer;
  }),
  decided("a stopped server is never started again", ["host-kill"], (answer) => {
    return withoutTask(answer, "start-replica");
  }),
  decided("a replay that paused for small settings is left so", ["settings-raised"], (answer) => {
    return answer.rule === "too-small" ? idle(answer) : answer;
  }),
  decided("a rule throws when a server is silent", ["server-silent"], (answer, view) => {
    if (view.postgres.kind === "silent") throw new TypeError("Cannot judge silence");
    return answer;
  }),
  seen("the tag nofailover is not looked at", ["agent-kill", "host-kill"], (view) => ({
    ...view,
    self: { ...view.self, tags: { ...view.self.tags, nofailover: false } },
  })),
  seen("a lease is taken for longer than it is", ["store-cut"], (view) => {
    if (view.lease.kind !== "held") return view;
    return { ...view, lease: { kind: "held", endsMs: view.lease.endsMs + SOON_MS } };
  }),
  seen("the lock of another member is taken for free", ["agent-kill"], (view) => {
    const { cluster, self } = view;
    if (cluster.kind !== "seen" || cluster.lock?.holder === self.name) return view;
    return { ...view, cluster: { ...cluster, lock: null } };
  }),
  remembering("a failed job is never tried again", ["clone-fails", "disk-full"], (memory) => {
    const { failedTask } = memory;
    return { ...memory, failedTask: failedTask && { ...failedTask, lastMs: FAR_MS } };
  }),
  remembering("a promotion under way is forgotten", ["slow-server", "store-cut"], (memory) => ({
    ...memory,
    promoteAskedMs: null,
  })),
];

function decided(
  name: string,
  needs: readonly FaultKind[],
  change: (answer: Decision, view: NodeView) => Decision,
): Mutation {
  const decide = (view: NodeView, memory: Memory): Decision =>
    change(productBrain.decide(view, memory), view);
  return { name, needs, planted: {}, brain: { ...productBrain, decide } };
}

function seen(
  name: string,
  needs: readonly FaultKind[],
  change: (view: NodeView) => NodeView,
): Mutation {
  const decide = (view: NodeView, memory: Memory): Decision =>
    productBrain.decide(change(view), memory);
  return { name, needs, planted: {}, brain: { ...productBrain, decide } };
}

function remembering(
  name: string,
  needs: readonly FaultKind[],
  change: (memory: Memory) => Memory,
): Mutation {
  const remember = (memory: Memory, view: NodeView): Memory =>
    change(productBrain.remember(memory, view));
  return { name, needs, planted: {}, brain: { ...productBrain, remember } };
}

function idle(answer: Decision): Decision {
  return { ...answer, actions: [], again: false };
}

function promoting(answer: Decision, { nowMs }: NodeView): Decision {
  const task = { kind: "promote", notAfterMs: nowMs + SOON_MS } as const;
  return { ...answer, actions: [{ kind: "start-task", task }], again: false };
}

function without(answer: Decision, kind: Action["kind"]): Decision {
  return { ...answer, actions: answer.actions.filter((action) => action.kind !== kind) };
}

function withoutTask(answer: Decision, kind: string): Decision {
  const kept = answer.actions.filter((action) =>
    action.kind !== "start-task" || action.task.kind !== kind
  );
  return { ...answer, actions: kept };
}

function withoutStops(answer: Decision): Decision {
  return withoutTask(without(answer, "cancel-task"), "stop");
}
