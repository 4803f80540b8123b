import type { Action } from "../action.ts";
import type { ClusterView, HistoryLine } from "../cluster_view.ts";
import type { NodeView, PrimaryView } from "../node_view.ts";
import type { TimelineSwitch } from "../timeline.ts";

/**
 * Brings the `history` key up to the timeline of this primary: first its own server is asked for the history file,
 * then the lines are written. Time and leader are known for the newest line only; older ones keep what they had.
 */
export function historyActions(
  view: NodeView,
  cluster: ClusterView,
  postgres: PrimaryView,
): readonly Action[] {
  const last = cluster.history?.at(-1)?.timeline ?? 0;
  if (last === postgres.timeline - 1) return [];
  const { leader, self } = view;
  if (postgres.timeline === 1) return [{ kind: "write-history", lines: [] }];
  if (leader === "not asked") {
    return [{ kind: "inspect-leader", leader: { name: self.name, connUrl: self.connUrl } }];
  }
  const isOwn = leader.kind === "seen" && leader.name === self.name &&
    leader.timeline === postgres.timeline;
  if (!isOwn) return [];
  const known = cluster.history ?? [];
  const lines = leader.history.map((line) => historyLine(line, known));
  return [{ kind: "write-history", lines: finish(lines, view, cluster) }];
}

function historyLine(line: TimelineSwitch, known: readonly HistoryLine[]): HistoryLine {
  const kept = known.find((each) => each.timeline === line.timeline && each.lsn === line.switchLsn);
  return {
    timeline: line.timeline,
    lsn: line.switchLsn,
    reason: line.reason,
    at: kept?.at ?? null,
    newLeader: kept?.newLeader ?? null,
  };
}

function finish(
  lines: readonly HistoryLine[],
  view: NodeView,
  cluster: ClusterView,
): readonly HistoryLine[] {
  const newest = lines.at(-1);
  if (newest === undefined) return [];
  const at = newest.at ?? new Date(view.wallMs).toISOString().replace("Z", "+00:00");
  const signed = { ...newest, at, newLeader: newest.newLeader ?? view.self.name };
  const all = [...lines.slice(0, -1), signed];
  const max = cluster.settings.maxTimelinesHistory;
  return max > 0 ? all.slice(-max) : all;
}
