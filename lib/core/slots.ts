import type { SlotChanges } from "./action.ts";
import type { ClusterView, LeaderStatus, MemberState } from "./cluster_view.ts";
import { isIgnored } from "./ignored_slots.ts";
import type { Lsn } from "./lsn.ts";
import { maxLsn } from "./lsn.ts";
import type { Memory } from "./memory.ts";
import type { PrimaryView, ReplicaView, SelfView, SlotView } from "./node_view.ts";
import { slotNameOf } from "./slot_name.ts";

/** What the judgement of slots looks at. */
export interface SlotFacts {
  readonly self: SelfView;
  readonly cluster: ClusterView;
  readonly memory: Memory;
  readonly nowMs: number;
}

/** Nothing to change. */
export const NO_SLOT_CHANGES: SlotChanges = { create: [], drop: [], advance: [] };

/** True when there is something to change. */
export function hasChanges(changes: SlotChanges): boolean {
  return changes.create.length + changes.drop.length + changes.advance.length > 0;
}

/**
 * The slots this server should have (spec 4.13), sorted: one for every other member that may stream, and those of
 * vanished members for `member_slots_ttl`. A member that never leads keeps slots only for members that name it.
 */
export function wantedSlots(facts: SlotFacts): readonly string[] {
  const { cluster, self } = facts;
  const { useSlots } = cluster.settings;
  if (!useSlots) return [];
  const isBarred = self.tags.nofailover && cluster.lock?.holder !== self.name;
  const wanted = new Set<string>();
  for (const member of cluster.members) {
    const isNeeded = !member.tags.nostream && member.name !== self.name &&
      (!isBarred || member.tags.replicatefrom === self.name);
    if (isNeeded) wanted.add(slotNameOf(member.name));
  }
  if (!self.tags.nofailover) { for (const slot of retainedSlots(facts)) wanted.add(slot); }
  wanted.delete(self.slotName);
  return [...wanted].sort();
}

/** Slots of members seen within `member_slots_ttl`, this one included, sorted: what the leader publishes. */
export function retainedSlots(facts: SlotFacts): readonly string[] {
  const oldestMs = facts.nowMs - facts.cluster.settings.memberSlotsTtlS * 1000;
  return Object.entries(facts.memory.memberSeenMs)
    .filter(([, seenMs]) => seenMs > oldestMs)
    .map(([slot]) => slot)
    .sort();
}

/** Changes on a primary: all wanted slots exist, and no other physical one that nobody uses. */
export function primarySlotChanges(server: PrimaryView, facts: SlotFacts): SlotChanges {
  if (facts.cluster.config === null) return NO_SLOT_CHANGES;
  const wanted = wantedSlots(facts);
  return {
    create: missing(wanted, server.slots),
    drop: unwanted(wanted, server.slots, facts),
    advance: advances(server.slots, facts, server.lsn),
  };
}

/**
 * Changes on a replica: slots follow what the leader publishes, never past the local replay, so that the others can
 * go on from here after a failover. One that the leader has not published yet is not made: its start would be a guess.
 */
export function replicaSlotChanges(server: ReplicaView, facts: SlotFacts): SlotChanges {
  const { config, status } = facts.cluster;
  if (config === null) return NO_SLOT_CHANGES;
  const wanted = wantedSlots(facts);
  const published = wanted.filter((slot) => status.slots[slot] !== undefined);
  return {
    create: missing(published, server.slots),
    drop: unwanted(wanted, server.slots, facts),
    advance: advances(server.slots, facts, server.replayedLsn),
  };
}

function missing(wanted: readonly string[], slots: readonly SlotView[]): readonly string[] {
  return wanted.filter((name) => slots.every((slot) => slot.name !== name));
}

/** In maintenance mode an operator may be at work with a slot that nobody else knows (case H9). */
function unwanted(
  wanted: readonly string[],
  slots: readonly SlotView[],
  { cluster }: SlotFacts,
): readonly string[] {
  const { paused, ignoreSlots = [] } = cluster.settings;
  if (paused) return [];
  const isIdle = (slot: SlotView): boolean =>
    slot.kind === "physical" && !slot.active && !slot.temporary && !isIgnored(slot, ignoreSlots);
  const mustGo = (slot: SlotView): boolean =>
    !wanted.includes(slot.name) || slot.walStatus === "lost";
  return slots.filter((slot) => isIdle(slot) && mustGo(slot)).map((slot) => slot.name).sort();
}

function advances(
  slots: readonly SlotView[],
  facts: SlotFacts,
  limit: Lsn | null,
): SlotChanges["advance"] {
  const wanted = wantedSlots(facts);
  const changes: { readonly name: string; readonly to: Lsn }[] = [];
  for (const slot of slots) {
    const target = wanted.includes(slot.name) ? targetOf(slot.name, facts) : null;
    if (target === null || limit === null || slot.active || slot.kind !== "physical") continue;
    const to = target > limit ? limit : target;
    if (slot.restartLsn !== null && to > slot.restartLsn) changes.push({ name: slot.name, to });
  }
  return changes.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Published by the leader; for a member that streams from another one also where that member is by its own word. */
function targetOf(name: string, facts: SlotFacts): Lsn | null {
  const { cluster, self } = facts;
  const member = cluster.members.find((each) => slotNameOf(each.name) === name);
  const published = cluster.status.slots[name] ?? null;
  if (member === undefined || !isCascading(member, self.name)) return published;
  return maxLsn(published, member.xlogLocation);
}

function isCascading(member: MemberState, me: string): boolean {
  return member.tags.replicatefrom !== null && member.tags.replicatefrom !== me;
}

/** The `status` key as this primary should publish it; its own slot name stands for its own position. */
export function wantedStatus(server: PrimaryView, facts: SlotFacts): LeaderStatus {
  const { memberSlotsTtlS, useSlots } = facts.cluster.settings;
  if (!useSlots || memberSlotsTtlS === 0) return { lsn: server.lsn, slots: {}, retainSlots: [] };
  const positions: [string, Lsn][] = [[facts.self.slotName, server.lsn]];
  for (const slot of server.slots) {
    const isOurs = slot.kind === "physical" && !slot.temporary && slot.name !== facts.self.slotName;
    if (isOurs && slot.restartLsn !== null) positions.push([slot.name, slot.restartLsn]);
  }
  positions.sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    lsn: server.lsn,
    slots: Object.fromEntries(positions),
    retainSlots: retainedSlots(facts),
  };
}

/** True when two contents of `status` say the same. */
export function isSameStatus(one: LeaderStatus, other: LeaderStatus): boolean {
  return statusText(one) === statusText(other);
}

function statusText(status: LeaderStatus): string {
  const slots = Object.entries(status.slots).map(([name, lsn]) => `${name}=${lsn}`).sort();
  const names = [...status.retainSlots].sort();
  return [`${status.lsn}`, status.handoverRevision ?? "", ...slots, "|", ...names].join(",");
}
