import assert from "node:assert/strict";
import { initialMemory } from "../../lib/core/memory.ts";
import { slotNameOf } from "../../lib/core/slot_name.ts";
import {
  isSameStatus,
  primarySlotChanges,
  replicaSlotChanges,
  wantedSlots,
  wantedStatus,
} from "../../lib/core/slots.ts";
import type { SlotFacts } from "../../lib/core/slots.ts";
import { readTags } from "../../lib/core/tags.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { cluster, lsn, member, NOW_MS, primary, replica, self, slot } from "./builders.ts";

function facts(overrides: Partial<SlotFacts> = {}): SlotFacts {
  return { self: self(), cluster: cluster(), memory: initialMemory, nowMs: NOW_MS, ...overrides };
}

function seen(name: string, agoMs: number): SlotFacts["memory"] {
  return { ...initialMemory, memberSeenMs: { [name]: NOW_MS - agoMs } };
}

Deno.test("slotNameOf() maps names as all members do", () => {
  assert.equal(slotNameOf("Node-1.db@x"), "node_1_dbu0064x");
  assert.equal(slotNameOf("n".repeat(70)).length, 63);
});

Deno.test("wantedSlots() has a slot for each other member that streams", () => {
  const members = [member("a"), member("b"), member("c", { tags: readTags({ nostream: true }) })];
  assert.deepEqual(wantedSlots(facts({ cluster: cluster({ members }) })), ["b"]);
});

Deno.test("A27 wantedSlots() keeps the slot of a vanished member for member_slots_ttl", () => {
  assert.deepEqual(wantedSlots(facts({ memory: seen("gone", 1_799_999) })), ["b", "c", "gone"]);
  assert.deepEqual(wantedSlots(facts({ memory: seen("gone", 1_800_000) })), ["b", "c"]);
});

Deno.test("wantedSlots() is empty when slots are off", () => {
  const settings = { ...defaultSettings, useSlots: false };
  assert.deepEqual(wantedSlots(facts({ cluster: cluster({ settings }) })), []);
});

Deno.test("primarySlotChanges() makes missing slots and drops idle unknown ones", () => {
  const slots = [
    slot("b"),
    slot("old"),
    slot("busy", { active: true }),
    slot("logical", { kind: "logical" }),
    slot("scratch", { temporary: true }),
  ];
  const changes = primarySlotChanges(primary({ slots }), facts());
  assert.deepEqual(changes, { create: ["c"], drop: ["old"], advance: [] });
});

Deno.test("primarySlotChanges() changes nothing without a readable config", () => {
  const changes = primarySlotChanges(primary(), facts({ cluster: cluster({ config: null }) }));
  assert.deepEqual(changes, { create: [], drop: [], advance: [] });
});

Deno.test("primarySlotChanges() moves the slot of a member that streams from another one", () => {
  const tags = readTags({ replicatefrom: "b" });
  const members = [member("a"), member("b"), member("c", { tags, xlogLocation: lsn(800) })];
  const slots = [slot("b"), slot("c", { restartLsn: lsn(500) })];
  const changes = primarySlotChanges(primary({ slots }), facts({ cluster: cluster({ members }) }));
  assert.deepEqual(changes.advance, [{ name: "c", to: lsn(800) }]);
});

Deno.test("replicaSlotChanges() makes only slots that the leader has published", () => {
  const status = { lsn: lsn(1000), slots: { c: lsn(700) }, retainSlots: [] };
  const seenCluster = cluster({ lock: "b", status });
  const changes = replicaSlotChanges(replica(), facts({ cluster: seenCluster }));
  assert.deepEqual(changes.create, ["c"]);
});

Deno.test("replicaSlotChanges() never moves a slot past the own replay", () => {
  const status = { lsn: lsn(2000), slots: { c: lsn(1500) }, retainSlots: [] };
  const server = replica({ slots: [slot("c")], replayedLsn: lsn(1200) });
  const changes = replicaSlotChanges(server, facts({ cluster: cluster({ lock: "b", status }) }));
  assert.deepEqual(changes.advance, [{ name: "c", to: lsn(1200) }]);
});

Deno.test("wantedStatus() publishes slots and the own position under the own slot name", () => {
  const server = primary({ lsn: lsn(1000), slots: [slot("b", { restartLsn: lsn(600) })] });
  const status = wantedStatus(server, facts({ memory: seen("b", 0) }));
  assert.deepEqual(status, {
    lsn: lsn(1000),
    slots: { a: lsn(1000), b: lsn(600) },
    retainSlots: ["b"],
  });
});

Deno.test("isSameStatus() ignores the order of slots and sees a moved one", () => {
  const one = { lsn: lsn(1), slots: { a: lsn(1), b: lsn(2) }, retainSlots: ["a"] };
  const other = { lsn: lsn(1), slots: { b: lsn(2), a: lsn(1) }, retainSlots: ["a"] };
  assert.ok(isSameStatus(one, other));
  assert.ok(!isSameStatus(one, { ...other, slots: { a: lsn(1), b: lsn(3) } }));
});
