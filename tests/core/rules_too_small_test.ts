import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { cluster, nodeView, NOW_MS, raceView, replica, replicaView } from "./builders.ts";

const TOO_SMALL = { max_connections: { oldValue: "100", newValue: "200" } };
const PAUSED = { ...defaultSettings, paused: true };

function orders(view: NodeView, promoteAskedMs: number | null = null): readonly string[] {
  const memory = { ...initialMemory, appliedSettings: defaultSettings, promoteAskedMs };
  const { rule, actions } = decide(view, memory);
  const kinds = actions.map((action) => {
    if (action.kind !== "start-task") return action.kind;
    const { task } = action;
    return task.kind === "stop" ? `stop ${task.how}` : task.kind;
  });
  return [rule, ...kinds];
}

const postgres = replica({ replayPaused: true, tooSmall: TOO_SMALL });

Deno.test("too-small restarts a replica whose replay has paused for its settings (I1, L7)", () => {
  assert.deepEqual(orders(replicaView({ postgres })), ["too-small", "stop fast"]);
});

Deno.test("too-small leaves a replay alone that somebody has paused", () => {
  for (const tooSmall of [undefined, {}]) {
    const wished = { ...replica({ replayPaused: true }), ...(tooSmall ? { tooSmall } : {}) };
    assert.deepEqual(orders(replicaView({ postgres: wished })), ["follow"]);
  }
});

Deno.test("too-small restarts a new leader before its promotion, under the lock", () => {
  const mine = nodeView({ postgres });
  assert.deepEqual(orders(mine), ["too-small", "hold-lock", "stop fast"]);
  assert.deepEqual(orders(mine, NOW_MS - 1000), ["too-small", "hold-lock", "stop fast"]);
});

Deno.test("too-small comes after the race, and stops nothing in maintenance mode", () => {
  assert.equal(orders(raceView({ postgres }))[0], "race");
  const inPause = replicaView({ postgres, cluster: cluster({ lock: "b", settings: PAUSED }) });
  assert.ok(!orders(inPause).includes("stop fast"));
});
