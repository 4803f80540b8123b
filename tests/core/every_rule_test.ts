import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView, OperatorWish } from "../../lib/core/node_view.ts";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  handover,
  nodeView,
  primary,
  raceView,
  replica,
  replicaView,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const LOST = { kind: "lost", why: "refused" } as const;
const PROMOTING = {
  kind: "running",
  task: { kind: "promote", notAfterMs: 0 },
  sinceMs: 0,
  cancellable: true,
  progress: null,
} as const;
const PAUSED = { ...defaultSettings, paused: true };
const FAILSAFE = {
  settings: { ...defaultSettings, failsafeMode: true },
  failsafe: { members: { a: "http://a/patroni", b: "http://b/patroni" }, revision: 7n },
};
const SMALL = { max_connections: { oldValue: "100", newValue: "200" } };
const RESTART: OperatorWish = {
  kind: "restart",
  id: "1",
  conditions: { role: null, olderThan: null, pendingOnly: false },
  timeoutS: null,
  schedule: null,
};
const COPY: OperatorWish = { kind: "reinitialize", id: "1", force: false, fromLeader: false };

/** In the order of the ladder: a view that each rung answers. The tables of its cases are in the files of the rules. */
const ANSWERED: readonly (readonly [string, NodeView])[] = [
  ["shutdown", nodeView({ wishes: [{ kind: "shutdown" }] })],
  ["detach", nodeView({ wishes: [{ kind: "detach" }] })],
  ["reinitialize", replicaView({ wishes: [COPY] })],
  ["foreign-system-id", nodeView({ cluster: cluster({ systemId: "7999999999999999999" }) })],
  ["failsafe", nodeView({ cluster: unreachable(cluster(FAILSAFE)) })],
  ["dcs-lost", nodeView({ cluster: unreachable() })],
  ["task-running", nodeView({ postgres: replica(), task: PROMOTING })],
  ["paused", raceView({ cluster: cluster({ lock: null, settings: PAUSED }) })],
  ["founding", nodeView({ cluster: cluster({ lock: null, systemId: "" }) })],
  ["unreadable-data", nodeView({ postgres: { kind: "unreadable", why: "no PG_VERSION" } })],
  ["lease-lost", nodeView({ lease: LOST })],
  ["bootstrap", replicaView({ postgres: { kind: "no-data" } })],
  ["watchdog", nodeView({ watchdog: { kind: "ready" } })],
  ["restart", nodeView({ wishes: [RESTART] })],
  [
    "unready",
    nodeView({
      postgres: { kind: "silent", systemId: SYSTEM_ID, lastRole: "primary", why: "slow" },
    }),
  ],
  ["recover-leader", nodeView({ postgres: down() })],
  ["recover-replica", replicaView({ postgres: down() })],
  ["too-small", replicaView({ postgres: replica({ replayPaused: true, tooSmall: SMALL }) })],
  ["handover", nodeView({ cluster: cluster({ handover: handover({ leader: "a" }) }) })],
  ["lead", nodeView({ postgres: primary() })],
  ["race", raceView()],
  ["follow", replicaView()],
];

Deno.test("LADDER has no rung without a view that it answers, in the order of the ladder", () => {
  assert.deepEqual(ANSWERED.map(([name]) => name), LADDER.map(({ name }) => name));
});

for (const [name, view] of ANSWERED) {
  Deno.test(`decide() lets ${name} answer its case`, () => {
    assert.equal(decide(view, initialMemory).rule, name);
  });
}
