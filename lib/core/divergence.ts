import type { Lsn } from "./lsn.ts";
import type { ControlData, ReplicaView } from "./node_view.ts";
import type { TimelineSwitch } from "./timeline.ts";

/** Where a local history ends. `inclusive`: the record at `lsn` itself was written here (a shutdown checkpoint). */
export interface LocalEnd {
  readonly timeline: number;
  readonly lsn: Lsn;
  readonly inclusive: boolean;
}

/** "forked": this node holds WAL that the leader's history does not have. "unknown": not enough facts for a verdict. */
export type Fork = "forked" | "same" | "unknown";

/** Where a running replica is; null while its timeline or position is not known. */
export function endOfReplica(replica: ReplicaView): LocalEnd | null {
  if (replica.timeline === null || replica.replayedLsn === null) return null;
  return { timeline: replica.timeline, lsn: replica.replayedLsn, inclusive: false };
}

/**
 * Where a stopped server ended; null when its control file cannot tell: after a crash the end of WAL is known only
 * once it has been replayed. A replica without a recovery point never wrote beyond its checkpoint.
 */
export function endOfStopped(control: ControlData): LocalEnd | null {
  switch (control.state) {
    case "shut down":
      return { timeline: control.timeline, lsn: control.checkpointLsn, inclusive: true };
    case "shut down in recovery":
    case "in archive recovery":
      return {
        timeline: control.minRecovery?.timeline ?? control.timeline,
        lsn: control.minRecovery?.lsn ?? control.checkpointLsn,
        inclusive: control.minRecovery === null,
      };
    default:
      return null;
  }
}

/**
 * Compares with the leader's history (spec 4.8): a higher local timeline forked; the same one did not; a lower one
 * forked when it is no ancestor of the leader's or went on beyond the point where the leader's line left it.
 * A leader on a higher timeline that shows no history proves nothing.
 */
export function judgeFork(
  local: LocalEnd,
  leader: { readonly timeline: number; readonly history: readonly TimelineSwitch[] },
): Fork {
  if (local.timeline > leader.timeline) return "forked";
  if (local.timeline === leader.timeline) return "same";
  if (leader.history.length === 0) return "unknown";
  const left = leader.history.find((line) => line.timeline === local.timeline);
  if (left === undefined) return "forked";
  const isBeyond = local.inclusive ? local.lsn >= left.switchLsn : local.lsn > left.switchLsn;
  return isBeyond ? "forked" : "same";
}
