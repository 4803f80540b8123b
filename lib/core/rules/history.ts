import type { Action } from "../action.ts";
import type { ClusterView, HistoryLine, SwitchNote } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, PrimaryView } from "../node_view.ts";
import type { TimelineSwitch } from "../timeline.ts";
import { authorityEndsMs } from "./facts.ts";

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
  if (last === postgres.timeline - 1) return noteFirings(cluster);
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

/**
 * The same for a leader that is about to stop, right after its promotion perhaps: without its line a member that lacks this
 * timeline could not be told from one that has it, and might lead next.
 */
export function historyBeforeStop(view: NodeView, memory: Memory): readonly Action[] {
  const { cluster, postgres } = view;
  if (cluster.kind !== "seen" || postgres.kind !== "primary") return [];
  return authorityEndsMs(view, memory) === null ? [] : historyActions(view, cluster, postgres);
}

/** True when the own server must be asked first. */
export function asksForHistory(actions: readonly Action[]): boolean {
  return actions.some((action) => action.kind === "inspect-leader");
}

/** A promotion comes after the firing; where none does, the clocks of two hosts may differ by this much. */
const SKEW_MS = 10_000;
/** A line that says so much already gets nothing more. */
const REASON_MAX = 400;

/**
 * The firing of a member's switch belongs to the promotion that followed it. The form of the lines is Patroni's, so it is
 * told in the reason, once for each member and signal; a firing that no promotion followed has no line.
 */
function noteFirings({ history, members }: ClusterView): readonly Action[] {
  let lines = history ?? [];
  for (const { name, switchFired } of members) {
    if (switchFired !== null) lines = withFiring(lines, name, switchFired);
  }
  return lines === history || lines.length === 0 ? [] : [{ kind: "write-history", lines }];
}

function withFiring(
  lines: readonly HistoryLine[],
  name: string,
  { at, signal }: SwitchNote,
): readonly HistoryLine[] {
  const firedMs = Date.parse(at);
  const since = (ms: number): number =>
    lines.findIndex((line) => line.at !== null && Date.parse(line.at) >= ms);
  const place = since(firedMs) >= 0 ? since(firedMs) : since(firedMs - SKEW_MS);
  const line = lines[place];
  const note = `the dead-man's switch of ${name} sent ${signal}`;
  if (line === undefined || line.reason.includes(note) || line.reason.length > REASON_MAX) {
    return lines;
  }
  const reason = `${line.reason}; ${note} at ${at}`;
  return lines.map((one, index) => index === place ? { ...one, reason } : one);
}

function historyLine(line: TimelineSwitch, known: readonly HistoryLine[]): HistoryLine {
  const kept = known.find((each) => each.timeline === line.timeline && each.lsn === line.switchLsn);
  return {
    timeline: line.timeline,
    lsn: line.switchLsn,
    reason: kept?.reason ?? line.reason,
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
