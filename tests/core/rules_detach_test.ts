import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { LeaseView, NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  held,
  nodeView,
  NOW_MS,
  primary,
  raceView,
  replica,
  replicaView,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const DETACH = { wishes: [{ kind: "detach" }] } as const;
const LOST: LeaseView = { kind: "lost", why: "refused" };
const ARMED = { armed: { endsMs: NOW_MS + 20_000, inherited: false } };

/** True when the answer ends the agent and does nothing else. */
function leaves(view: NodeView, memory = initialMemory): boolean {
  const { rule, actions } = decide({ ...view, ...DETACH }, memory);
  if (actions.some(({ kind }) => kind === "exit")) assert.equal(actions.length, 1);
  return rule === "detach";
}

Deno.test("detach ends the agent of a leader and leaves lock and armed switch as they are", () => {
  assert.ok(leaves(nodeView(ARMED)));
});

Deno.test("detach ends the agent of a replica, of a stopped server, and of one in an outage of the store", () => {
  assert.ok(leaves(replicaView()));
  assert.ok(leaves(replicaView({ postgres: down() })));
  assert.ok(leaves(replicaView({ cluster: unreachable() })));
});

Deno.test("detach waits while a leader has no proof of its lock in time", () => {
  assert.ok(!leaves(nodeView({ cluster: unreachable() })));
  assert.ok(!leaves(nodeView({ lease: held(1000) })));
  assert.ok(!leaves(nodeView({ lease: LOST })));
  assert.ok(!leaves(nodeView({ cluster: cluster({ lock: "b" }), lease: LOST })));
});

Deno.test("detach waits for a task, a promotion under way, and a server that starts", () => {
  const task = {
    kind: "running",
    task: { kind: "follow", upstream: null },
    sinceMs: 0,
    cancellable: true,
    progress: null,
  } as const;
  assert.ok(!leaves(replicaView({ task })));
  const promoting = { ...initialMemory, promoteAskedMs: NOW_MS };
  assert.ok(!leaves(raceView(), promoting));
  assert.ok(!leaves(nodeView({ postgres: replica() }), promoting));
  const starting = { kind: "starting", systemId: SYSTEM_ID, asReplica: false, sinceMs: 0 } as const;
  assert.ok(!leaves(nodeView({ postgres: starting })));
});

Deno.test("detach needs no lock in maintenance mode", () => {
  const paused = cluster({ lock: null, settings: { ...defaultSettings, paused: true } });
  assert.ok(leaves(nodeView({ cluster: paused, lease: LOST, postgres: primary() })));
});
