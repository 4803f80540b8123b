import type { ClusterView } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { ControlData, NodeView } from "../node_view.ts";
import { leaderMember, restUntilMs, settingsOf } from "./facts.ts";
import { act } from "./rule.ts";
import type { Answer } from "./rule.ts";
import { sourceOf } from "./sources.ts";

/** Failed attempts in a row, or ends of them without a stream, after which the leader is copied instead. */
const REWINDS_MAX = 3;
const VAIN_MAX = 1;

/** Is pg_rewind wanted here? The local file goes before the cluster's settings. */
export function wantsRewind(view: NodeView, memory: Memory): boolean {
  return view.self.usePgRewind ?? settingsOf(view, memory).usePgRewind ?? false;
}

/**
 * May this stopped directory be rewound (spec 4.8)? Only after an end in order, since pg_rewind looks for the end of the
 * local WAL in the control file; never without marks of changed pages, and a bounded number of times.
 */
export function mayRewind(view: NodeView, memory: Memory, control: ControlData): boolean {
  const { failedTask, vainCopies } = memory;
  const hasFailed = failedTask?.kind === "rewind" && failedTask.times >= REWINDS_MAX;
  const isEnded = control.state === "shut down" || control.state === "shut down in recovery";
  return wantsRewind(view, memory) && isEnded && control.rewindable === true && !hasFailed &&
    vainCopies <= VAIN_MAX;
}

/**
 * Rewinds to the leader. Before its first checkpoint after a promotion its control file still shows the old timeline, and
 * pg_rewind would take the histories for one (case E6).
 */
export function rewindTo(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  why: string,
): Answer | null {
  const leader = leaderMember(cluster, view.self.name);
  const source = sourceOf(leader);
  if (leader === null || source === null || leader.role !== "primary") return null;
  if (!leader.checkpointAfterPromote) {
    return act(`${why}; waiting for a checkpoint of ${leader.name} to rewind to`, []);
  }
  const restMs = restUntilMs(view, memory, "rewind");
  if (restMs !== null) {
    return act(`${why}; the last rewind failed, trying again later`, [], restMs);
  }
  const task = { kind: "rewind", source, why } as const;
  return act(`${why}: rewinding to ${source.name}`, [{ kind: "start-task", task }]);
}
