import type { Action } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, PrimaryView, ReplicaView } from "../node_view.ts";
import { maxLsn } from "../lsn.ts";
import { hasChanges, primarySlotChanges, replicaSlotChanges, wantedStatus } from "../slots.ts";
import type { SlotFacts } from "../slots.ts";
import { lastCluster } from "./facts.ts";

/**
 * Slots that advance while the store is silent (case C8): on a leader by what the members told with their consent, on a
 * replica by what the leader sent with its question. None is made or dropped without the store.
 */
export function failsafeSlots(view: NodeView, memory: Memory): readonly Action[] {
  const seen = lastCluster(view);
  if (seen === null) return [];
  const { postgres } = view;
  if (postgres.kind === "primary") return primarySlots(view, memory, { seen, postgres });
  if (postgres.kind !== "replica" || !view.promise?.to) return [];
  const { slots } = view.promise;
  const status = { ...seen.status, slots: { ...seen.status.slots, ...slots } };
  const facts = factsOf(view, memory, { ...seen, status });
  return advancing(replicaSlotChanges(postgres, facts));
}

/** What a leader tells with its question: positions as it would publish them. */
export function slotsToTell(view: NodeView, memory: Memory): SlotPositions {
  const seen = lastCluster(view);
  if (seen === null || view.postgres.kind !== "primary") return {};
  return wantedStatus(view.postgres, factsOf(view, memory, seen)).slots;
}

type SlotPositions = ClusterView["status"]["slots"];

interface Slots<Server extends PrimaryView | ReplicaView> {
  readonly seen: ClusterView;
  readonly postgres: Server;
}

function primarySlots(
  view: NodeView,
  memory: Memory,
  { seen, postgres }: Slots<PrimaryView>,
): readonly Action[] {
  const told = view.consents ?? {};
  const members = seen.members.map((member) => {
    return { ...member, xlogLocation: maxLsn(member.xlogLocation, told[member.name] ?? null) };
  });
  return advancing(primarySlotChanges(postgres, factsOf(view, memory, { ...seen, members })));
}

function factsOf({ self, nowMs }: NodeView, memory: Memory, cluster: ClusterView): SlotFacts {
  return { self, cluster, memory, nowMs };
}

function advancing({ advance }: ReturnType<typeof primarySlotChanges>): readonly Action[] {
  const changes = { create: [], drop: [], advance };
  return hasChanges(changes) ? [{ kind: "sync-slots", changes }] : [];
}
