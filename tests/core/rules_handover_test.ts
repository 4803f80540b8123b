import assert from "node:assert/strict";
import type { Action } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import type { LeaderStatus } from "../../lib/core/cluster_view.ts";
import { initialMemory, remember } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, TaskView } from "../../lib/core/node_view.ts";
import { stopInOrder } from "../../lib/core/rules/stopping.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  handover,
  held,
  lsn,
  nodeView,
  NOW_MS,
  peer,
  primary,
  silentPeer,
  slot,
} from "./builders.ts";

const SETTLED: Memory = {
  ...initialMemory,
  appliedSettings: defaultSettings,
  lastSettings: defaultSettings,
};

function ordered(view: NodeView): readonly string[] {
  const { actions } = decide(view, SETTLED);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function ended(action: Action): TaskView {
  assert.ok(action.kind === "start-task");
  return { kind: "ended", task: action.task, result: "done", reason: null, endedMs: NOW_MS - 10 };
}

Deno.test("handover asks the others first and then stops the server in order", () => {
  const asked = cluster({ handover: handover({ leader: "a", candidate: "b" }) });
  assert.deepEqual(ordered(nodeView({ cluster: asked })), ["hold-lock", "ask-peers"]);
  const { actions } = decide(nodeView({ cluster: asked, peers: [peer("b")] }), SETTLED);
  const stop = actions.at(-1);
  assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
  assert.ok(stop.task.how === "fast" && stop.task.checkpointFirst);
});

Deno.test("handover drops a request that cannot or need not be carried out", () => {
  const cases = [
    ["nobody answers", handover({ candidate: "b" })],
    ["M4: for another leader", handover({ leader: "c" })],
    ["M5: to this node", handover({ candidate: "a" })],
    ["M2: too late", handover({ scheduledAtMs: 0 })],
  ] as const;
  for (const [name, wish] of cases) {
    const view = nodeView({ cluster: cluster({ handover: wish }), peers: [silentPeer("b")] });
    assert.deepEqual(ordered(view), ["hold-lock", "clear-handover"], name);
  }
});

Deno.test("handover leaves a request for later alone and wakes in time", () => {
  const view = nodeView({ lease: held(20_000) });
  const wish = handover({ leader: "a", scheduledAtMs: view.wallMs + 3000 });
  const decision = decide({ ...view, cluster: cluster({ handover: wish }) }, SETTLED);
  assert.equal(decision.rule, "lead");
  assert.equal(decision.wakeAtMs, NOW_MS + 3000);
});

Deno.test("handover judges a request for later at its time, case M4 before it", () => {
  const view = nodeView();
  const wish = handover({ leader: "c", scheduledAtMs: view.wallMs + 1 });
  const early = { ...view, cluster: cluster({ handover: wish }) };
  assert.equal(decide(early, SETTLED).rule, "lead");
  assert.deepEqual(ordered({ ...early, wallMs: view.wallMs + 1 }), ["hold-lock", "clear-handover"]);
});

Deno.test("F1 recover-leader hands over only to a member that has all that was written", () => {
  const asked = cluster({ handover: handover({ leader: "a", candidate: "b" }) });
  const stopped = nodeView({ cluster: asked, postgres: down() });
  assert.deepEqual(ordered(stopped), ["hold-lock", "ask-peers"]);
  assert.deepEqual(decide(stopped, SETTLED).actions[1], { kind: "ask-peers", only: "b" });
  const { actions } = decide({ ...stopped, peers: [peer("b"), peer("c")] }, SETTLED);
  const told = { handoverRevision: 9n };
  assert.deepEqual(actions, [{ kind: "release-lock", lastLsn: lsn(1000), ...told }]);
  const cases = [
    ["the candidate is behind", [peer("b", { lsn: lsn(999) }), peer("c")]],
    ["the candidate is silent", [silentPeer("b"), peer("c")]],
  ] as const;
  for (const [name, peers] of cases) {
    assert.deepEqual(ordered({ ...stopped, peers }), ["hold-lock", "clear-handover"], name);
  }
});

Deno.test("recover-leader tells of no verified candidate when an operator named none", () => {
  const asked = cluster({ handover: handover({ leader: "a" }) });
  const view = nodeView({ cluster: asked, postgres: down(), peers: [peer("b"), peer("c")] });
  const { actions } = decide(view, SETTLED);
  assert.deepEqual(actions, [{ kind: "release-lock", lastLsn: lsn(1000) }]);
});

Deno.test("lead drops from the status what the leader before said of a handover", () => {
  const status = { lsn: lsn(1000), slots: {}, retainSlots: ["a", "b", "c"] };
  const slots = ["b", "c"].map((name) => slot(name));
  const view = (given: LeaderStatus): NodeView => {
    return nodeView({ postgres: primary({ slots }), cluster: cluster({ status: given }) });
  };
  const memory = remember(SETTLED, view(status));
  const [, written] = decide(view({ ...status, handoverRevision: 9n }), memory).actions;
  assert.equal(written?.kind, "write-status");
  assert.equal(written !== undefined && "handoverRevision" in written, false);
});

Deno.test("recover-leader hands over also when the stop took longer than a schedule allows", () => {
  const scheduledAtMs = nodeView().wallMs - 60_000;
  const asked = cluster({ handover: handover({ leader: "a", candidate: "b", scheduledAtMs }) });
  const task = ended(stopInOrder("fast", "handing over"));
  const peers = [peer("b")];
  const stopped = nodeView({ cluster: asked, postgres: down(), peers, task });
  assert.deepEqual(ordered(stopped), ["release-lock"]);
  assert.deepEqual(ordered({ ...stopped, task: { kind: "idle" } }), ["hold-lock", "start-primary"]);
});
