import type { Action } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, PrimaryView, ReplicaView } from "../node_view.ts";
import {
  hasChanges,
  isSameStatus,
  primarySlotChanges,
  replicaSlotChanges,
  wantedStatus,
} from "../slots.ts";
import type { SlotFacts } from "../slots.ts";

/** `status` when it changed. */
export function statusActions(postgres: PrimaryView, facts: SlotFacts): readonly Action[] {
  const wanted = wantedStatus(postgres, facts);
  if (wanted.lsn === null || isSameStatus(wanted, facts.cluster.status)) return [];
  const { lsn, slots, retainSlots } = wanted;
  return [{ kind: "write-status", lsn, slots, retainSlots }];
}

/** Slot changes of a running server, when there are any. */
export function slotActions(
  postgres: PrimaryView | ReplicaView,
  facts: SlotFacts,
): readonly Action[] {
  const changes = postgres.kind === "primary"
    ? primarySlotChanges(postgres, facts)
    : replicaSlotChanges(postgres, facts);
  return hasChanges(changes) ? [{ kind: "sync-slots", changes }] : [];
}

/**
 * The cluster's settings, when the server was given others; both come from one decoder, so their texts compare. A wish to
 * reload applies them in any case: the local file has changed, or a file that only the server reads.
 */
export function settingsActions(
  { wishes }: NodeView,
  cluster: ClusterView,
  memory: Memory,
): readonly Action[] {
  const { settings } = cluster;
  const isWished = wishes.some(({ kind }) => kind === "reload");
  if (isWished) return [{ kind: "apply-settings", settings, reload: true }];
  const isSame = JSON.stringify(settings) === JSON.stringify(memory.appliedSettings);
  return isSame ? [] : [{ kind: "apply-settings", settings }];
}
