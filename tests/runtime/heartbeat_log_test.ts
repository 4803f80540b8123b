import { deepStrictEqual } from "node:assert/strict";
import type { Log } from "../../lib/base/log.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { Action, Outcome } from "../../lib/core/action.ts";
import { HeartbeatLog } from "../../lib/runtime/heartbeat_log.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { cluster, nodeView, unreachable } from "../core/builders.ts";
import { VirtualClock } from "./fakes.ts";

const ABANDON: Action = { kind: "abandon-bootstrap" };
const HOLD: Action = { kind: "hold-lock" };

/** How many warnings an action with this end causes. */
function warnings(action: Action, result: Outcome["result"]): number {
  let count = 0;
  const log: Log = { ...silentLog, warn: () => void count++ };
  const decision = { rule: "a", why: "b", actions: [action], again: false, wakeAtMs: null };
  new HeartbeatLog(log, new VirtualClock())
    .write(nodeView(), decision, [{ action, result, reason: "no", atMs: 0 }]);
  return count;
}

Deno.test("write() warns of a refusal unless others were to win, and always of a lost answer", () => {
  deepStrictEqual([warnings(ABANDON, "refused"), warnings(ABANDON, "unknown")], [0, 1]);
  deepStrictEqual([warnings(HOLD, "refused"), warnings(HOLD, "done")], [1, 0]);
});

/** The line of a decision in this cluster. */
function lineIn(cluster: NodeView["cluster"]): string | undefined {
  const lines: string[] = [];
  const log: Log = { ...silentLog, info: (line) => void lines.push(line) };
  const decision = { rule: "a", why: "b", actions: [], again: false, wakeAtMs: null };
  new HeartbeatLog(log, new VirtualClock()).write(nodeView({ cluster }), decision, []);
  return lines.at(-1);
}

Deno.test("write() marks what is decided in maintenance mode, also while the store is silent", () => {
  const paused = cluster({ settings: { ...defaultSettings, paused: true } });
  deepStrictEqual([cluster(), paused, unreachable(paused)].map(lineIn), [
    ...["b", "PAUSE: b", "PAUSE: b"],
  ]);
});

/** How many of `count` identical heartbeats, ten seconds apart, are written. */
async function writtenOf(count: number, repeatMs?: number): Promise<number> {
  let lines = 0;
  const log: Log = { ...silentLog, info: () => void lines++ };
  const clock = new VirtualClock();
  const heartbeat = repeatMs === undefined
    ? new HeartbeatLog(log, clock)
    : new HeartbeatLog(log, clock, () => repeatMs);
  for (let beat = 0; beat < count; beat++) {
    const decision = { rule: "a", why: "b", actions: [], again: false, wakeAtMs: null };
    heartbeat.write(nodeView(), decision, []);
    await clock.advance(10_000);
  }
  return lines / 2; // each is two lines: who holds the lock, and why
}

Deno.test("write() folds unchanged heartbeats to one a minute, all of them, or none, as the owner wants", async () => {
  const written = [await writtenOf(13), await writtenOf(13, Infinity), await writtenOf(13, 0)];
  deepStrictEqual(written, [3, 1, 13]);
});

Deno.test("write() tells once that failsafe mode is active, of both its sides, and once that it is over", () => {
  const lines: string[] = [];
  const told = (line: string): void => {
    if (line.includes("ailsafe mode is")) lines.push(line);
  };
  const log: Log = { ...silentLog, info: told, warn: told };
  const heartbeat = new HeartbeatLog(log, new VirtualClock());
  const decision = { rule: "a", why: "b", actions: [], again: false, wakeAtMs: null };
  const out = { cluster: unreachable() };
  const leads = { kind: "held", endsMs: 1, consented: true } as const;
  const promise = { to: "b", untilMs: 1, slots: {} };
  const views: readonly Partial<NodeView>[] = [
    { ...out, promise: { ...promise, to: null } },
    { ...out, promise },
    { ...out, promise },
    { promise },
    { ...out, lease: leads },
    { ...out, lease: leads },
    {},
  ];
  for (const view of views) heartbeat.write(nodeView(view), decision, []);
  deepStrictEqual(lines, [
    "Failsafe mode is active: b leads without the store, and this member does not take the lock",
    "Failsafe mode is over",
    "Failsafe mode is active: the members consent that this one leads without the store",
    "Failsafe mode is over",
  ]);
});

Deno.test("write() tells each reason of an outage of the store once, and again in the next one", () => {
  const told: string[] = [];
  const log: Log = { ...silentLog, warn: (line) => void told.push(line) };
  const heartbeat = new HeartbeatLog(log, new VirtualClock());
  const decision = { rule: "a", why: "b", actions: [], again: false, wakeAtMs: null };
  const silent = (why: string): NodeView["cluster"] => ({ ...unreachable(), why });
  const slow = [silent("late by 12 ms"), silent("late by 9 ms")];
  const barred = silent("wrong password");
  for (const seen of [...slow, barred, ...slow, cluster(), ...slow]) {
    heartbeat.write(nodeView({ cluster: seen }), decision, []);
  }
  deepStrictEqual(told.map((line) => line.replace(/^.*: /, "")), [
    ...["late by 12 ms", "wrong password", "late by 12 ms"],
  ]);
});

Deno.test("write() warns once of settings and keys that do not count as they stand, and again when they come back", () => {
  const lines: string[] = [];
  const log: Log = { ...silentLog, warn: (line) => void lines.push(line) };
  const heartbeat = new HeartbeatLog(log, new VirtualClock());
  const decision = { rule: "a", why: "b", actions: [], again: false, wakeAtMs: null };
  const odd = cluster({
    settings: {
      ...defaultSettings,
      unsupported: ["synchronous_mode"],
      warnings: ["tttl is ignored: the key is unknown"],
    },
    faults: ["Cannot read sync"],
  });
  for (const seen of [odd, odd, unreachable(odd), odd, cluster(), odd]) {
    heartbeat.write(nodeView({ cluster: seen }), decision, []);
  }
  const told = lines.filter((line) => !line.includes("no answer"));
  const all = [
    "Cannot read sync",
    "Settings of the cluster: synchronous_mode is not implemented, this member does not lead",
    "Settings of the cluster: tttl is ignored: the key is unknown",
  ];
  deepStrictEqual(told, [...all, ...all]);
});
