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
import { answering } from "../server_texts.ts";
import type { SlotFacts } from "../slots.ts";

/** `status` when it changed. */
export function statusActions(postgres: PrimaryView, facts: SlotFacts): readonly Action[] {
  const wanted = wantedStatus(postgres, facts);
  if (wanted.lsn === null || isSameStatus(wanted, facts.cluster.status)) return [];
  const { lsn, slots, retainSlots } = wanted;
  return [{ kind: "write-status", lsn, slots, retainSlots }];
}

/**
 * Before a server may write in a tree without an identity: the tree names it. Else an agent that ended right after the
 * start, and whose member key ran out, would leave an empty tree in which an empty member founds another cluster.
 */
export function identityFirst(
  cluster: ClusterView,
  memory: Memory,
  systemId: string,
): readonly Action[] {
  if (cluster.systemId !== null) return [];
  return [{ kind: "restore-keys", systemId, config: memory.lastConfig }];
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
 * reload applies them in any case: the local file has changed, or a file that only the server reads. Where the files of
 * a primary and of a replica differ (spec 1.6.2), a change of the role counts as one of the settings.
 */
export function settingsActions(
  { self, postgres, wishes }: NodeView,
  cluster: ClusterView,
  memory: Memory,
): readonly Action[] {
  const { settings } = cluster;
  const differs = settings.byRole !== undefined || self.hasRoleContent === true;
  const role = differs ? answering(postgres)?.kind ?? null : null;
  const order: Action = {
    kind: "apply-settings",
    settings,
    ...(role === null ? {} : { role }),
  };
  const isWished = wishes.some(({ kind }) => kind === "reload");
  if (isWished) return [{ ...order, reload: true }];
  const isSame = JSON.stringify(settings) === JSON.stringify(memory.appliedSettings) &&
    role === (memory.appliedRole ?? null);
  return isSame ? [] : [order];
}
