import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory, remember } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { ControlData, NodeView, SelfView, TaskView } from "../../lib/core/node_view.ts";
import { decodeSettings, defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  control,
  leaderReport,
  lsn,
  member,
  NOW_MS,
  primary,
  replica,
  replicaView,
  self,
} from "./builders.ts";

const SETTINGS = { ...defaultSettings, usePgRewind: true };
const SETTLED: Memory = { ...initialMemory, appliedSettings: SETTINGS, lastSettings: SETTINGS };
const FORKED = leaderReport("b", {
  timeline: 2,
  history: [{ timeline: 1, switchLsn: lsn(900), reason: "" }],
});
const SAME = leaderReport("b", {
  timeline: 2,
  history: [{ timeline: 1, switchLsn: lsn(5000), reason: "" }],
});

function forked(
  overrides: Partial<NodeView> = {},
  found: Partial<ControlData> = {},
): NodeView {
  const data = control({ checkpointLsn: lsn(950), rewindable: true, ...found });
  return replicaView({
    cluster: cluster({ lock: "b", settings: SETTINGS }),
    postgres: { kind: "down", control: data, crashed: false },
    leader: FORKED,
    ...overrides,
  });
}

function ordered(view: NodeView, memory: Memory = SETTLED): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function failed(times: number, agoMs = 3_600_000): Memory {
  return { ...SETTLED, failedTask: { kind: "rewind", times, lastMs: NOW_MS - agoMs } };
}

function leaderWith(overrides: Parameters<typeof member>[1]): Partial<NodeView> {
  const members = [member("a"), member("b", { role: "primary", ...overrides }), member("c")];
  return { cluster: cluster({ lock: "b", settings: SETTINGS, members }) };
}

/** What a replica that was stopped as forked or stuck leaves. */
function stoppedFor(why: string): TaskView {
  const task = {
    kind: "stop",
    how: "fast",
    checkpointFirst: false,
    escalation: { immediateAtMs: null, killAtMs: null },
    forked: true,
    why,
  } as const;
  return { kind: "ended", task, result: "done", reason: null, endedMs: NOW_MS };
}

const CASES: readonly (readonly [string, NodeView, Memory, readonly string[]])[] = [
  ["rewinds to the leader", forked(), SETTLED, ["rewind"]],
  ["compares histories first", forked({ leader: "not asked" }), SETTLED, ["inspect-leader"]],
  ["starts what has not forked", forked({ leader: SAME }), SETTLED, ["start-replica"]],
  ["copies without marks of changed pages", remarkless(), SETTLED, ["clone"]],
  ["waits for the leader's checkpoint", waiting(), SETTLED, []],
  ["copies while the leader does not show itself as a primary", replicaLeader(), SETTLED, [
    "clone",
  ]],
  ["pauses after a failure", forked(), failed(1, 0), []],
  ["tries again", forked(), failed(2), ["rewind"]],
  ["copies after three failures", forked(), failed(3), ["clone"]],
  ["rewinds after one end in vain", forked(), { ...SETTLED, vainCopies: 1 }, ["rewind"]],
  ["copies after two ends in vain", forked(), { ...SETTLED, vainCopies: 2 }, ["clone"]],
  ["does not touch anything in maintenance mode", paused(), SETTLED, []],
  ["starts a crashed server first", crashed(), SETTLED, ["start-replica"]],
  ["proves what was stopped as forked", stopped("not asked"), SETTLED, ["inspect-leader"]],
  ["rewinds what was stopped as forked", stopped(FORKED), SETTLED, ["rewind"]],
  ["copies what was stopped as stuck", stopped(SAME), SETTLED, ["clone"]],
  ["copies what was stopped while the leader is silent", stopped(silent()), SETTLED, ["clone"]],
];

function remarkless(): NodeView {
  return replicaView({
    cluster: cluster({ lock: "b", settings: SETTINGS }),
    postgres: { kind: "down", control: control({ checkpointLsn: lsn(950) }), crashed: false },
    leader: FORKED,
  });
}

function waiting(): NodeView {
  return forked(leaderWith({ checkpointAfterPromote: false }));
}

function replicaLeader(): NodeView {
  return forked(leaderWith({ role: "replica" }));
}

function paused(): NodeView {
  const settings = { ...SETTINGS, paused: true };
  return forked({ cluster: cluster({ lock: "b", settings }) });
}

function crashed(): NodeView {
  return forked({}, { state: "in production" });
}

function silent(): NodeView["leader"] {
  return { kind: "failed", name: "b", why: "no answer" };
}

function stopped(leader: NodeView["leader"]): NodeView {
  const found = { state: "shut down in recovery", minRecovery: { lsn: lsn(960), timeline: 1 } };
  return forked({ leader, task: stoppedFor("forked") }, found);
}

for (const [title, view, memory, expected] of CASES) {
  Deno.test(`a member with pg_rewind ${title}`, () => {
    deepStrictEqual(ordered(view, memory), expected);
  });
}

Deno.test("the local file goes before the cluster's settings for pg_rewind", () => {
  const without = cluster({ lock: "b" });
  deepStrictEqual(ordered(forked({ cluster: without })), ["clone"]);
  deepStrictEqual(ordered(forked({ cluster: without, self: self({ usePgRewind: true }) })), [
    "rewind",
  ]);
  deepStrictEqual(ordered(forked({ self: self({ usePgRewind: false }) })), ["clone"]);
});

const FORBIDDEN: readonly (readonly [string, Partial<SelfView>, readonly string[]])[] = [
  ["neither key", { mayReclone: false, mayRecloneAfterRewind: false }, []],
  ["the key for failed rewinds", { mayReclone: false, mayRecloneAfterRewind: true }, ["clone"]],
];

for (const [title, keys, expected] of FORBIDDEN) {
  Deno.test(`after failed rewinds ${title} lets a copy take the place of diverged data`, () => {
    const view = forked({ self: self(keys) });
    deepStrictEqual(ordered(view), ["rewind"]);
    deepStrictEqual(ordered(view, failed(3)), expected);
  });
}

Deno.test("a forked replica that may not be copied anew is stopped only to be rewound", () => {
  const view = replicaView({
    cluster: cluster({ lock: "b", settings: SETTINGS }),
    self: self({ mayReclone: false }),
    postgres: replica({ streaming: false }),
    leader: FORKED,
  });
  deepStrictEqual(ordered(view), ["stop"]);
  const never = { ...view, self: self({ mayReclone: false, usePgRewind: false }) };
  deepStrictEqual(ordered(never), []);
});

Deno.test("failed rewinds in a row are counted, and a good one ends the count", () => {
  const task = { kind: "rewind", source: { name: "b", connUrl: "" }, why: "" } as const;
  const ended = (result: "done" | "failed", endedMs: number): NodeView =>
    forked({ task: { kind: "ended", task, result, reason: null, endedMs } });
  const first = remember(SETTLED, ended("failed", 1));
  const second = remember(first, ended("failed", 2));
  strictEqual(second.failedTask?.times, 2);
  strictEqual(remember(second, ended("done", 3)).failedTask, null);
});

Deno.test("decodeSettings() reads use_pg_rewind, and knows when it is not given", () => {
  const read = (value: boolean | string | null): boolean | undefined => {
    const decoded = decodeSettings({ postgresql: { use_pg_rewind: value } });
    return "settings" in decoded ? decoded.settings.usePgRewind : undefined;
  };
  deepStrictEqual([true, "off", null].map(read), [true, false, undefined]);
});

Deno.test("E1 a former primary that ended where the leader began is started, not rewound", () => {
  const view = forked({
    leader: leaderReport("b", {
      timeline: 2,
      history: [{ timeline: 1, switchLsn: lsn(951), reason: "" }],
    }),
  });
  deepStrictEqual(ordered(view), ["start-replica"]);
});

Deno.test("E3 a replica that replayed beyond the fork is stopped and rewound", () => {
  const running = replica({ streaming: false, replayedLsn: lsn(960) });
  const settled = cluster({ lock: "b", settings: SETTINGS });
  const stop = ordered(replicaView({ cluster: settled, postgres: running, leader: FORKED }));
  deepStrictEqual([stop, ordered(stopped(FORKED))], [["stop"], ["rewind"]]);
});

Deno.test("E4 a timeline that the leader's history lacks is rewound, however early it ended", () => {
  const leader = leaderReport("b", {
    timeline: 4,
    history: [{ timeline: 2, switchLsn: lsn(2000), reason: "" }],
  });
  deepStrictEqual(ordered(forked({ leader }, { timeline: 3, checkpointLsn: lsn(10) })), ["rewind"]);
});

Deno.test("E5 a replica that the same leader left for a higher timeline compares histories", () => {
  const settled = cluster({ lock: "b", settings: SETTINGS });
  const postgres = replica({ streaming: false, timeline: 2 });
  deepStrictEqual(ordered(replicaView({ cluster: settled, postgres })), ["inspect-leader"]);
});

Deno.test("E6 no rewind before the leader has written a checkpoint since its promotion", () => {
  deepStrictEqual([ordered(waiting()), ordered(forked())], [[], ["rewind"]]);
});

Deno.test("E11 rewinds that fail again and again end in a copy", () => {
  deepStrictEqual([1, 2, 3].map((times) => ordered(forked(), failed(times))[0]), [
    "rewind",
    "rewind",
    "clone",
  ]);
});

Deno.test("E20 a false primary is stopped, and what it wrote is rewound", () => {
  const settled = cluster({ lock: "b", settings: SETTINGS });
  deepStrictEqual(ordered(replicaView({ cluster: settled, postgres: primary() })), ["stop"]);
  deepStrictEqual(ordered(forked({}, { timeline: 3 })), ["rewind"]);
});
