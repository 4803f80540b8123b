import type { Lsn } from "../../lib/core/lsn.ts";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import type { TimelineSwitch } from "../../lib/core/timeline.ts";

/** A timeline of one server's making; two branches may carry one number, and that is a fork to find. */
export interface Branch {
  readonly timeline: number;
  readonly history: readonly TimelineSwitch[];
}

/** One WAL record; the chain over `before` is everything the server has. */
export interface WalRecord {
  readonly before: WalRecord | null;
  readonly lsn: Lsn;
  readonly branch: Branch;
  /** The setting that a standby needs at least to replay this far, as max_connections. */
  readonly needs: number;
}

const FIRST_LSN = 0x3000000n;
const RECORD_BYTES = 0x1000n;

/** The setting that every cluster begins with. */
export const SETTING_LEAST = 100;

/** The WAL of a new cluster. */
export function firstRecord(): WalRecord {
  const branch = { timeline: 1, history: [] };
  return { before: null, lsn: lsnFromBytes(FIRST_LSN), branch, needs: SETTING_LEAST };
}

/** One more record on the same branch, by a server that runs with this setting. */
export function append(head: WalRecord, needs: number = head.needs): WalRecord {
  const { branch } = head;
  return { before: head, lsn: lsnFromBytes(head.lsn + RECORD_BYTES), branch, needs };
}

/** The first record of a new timeline that leaves the chain at `head`. */
export function branchOff(head: WalRecord): WalRecord {
  const { timeline, history } = head.branch;
  const left = { timeline, switchLsn: head.lsn, reason: "no recovery target specified" };
  const branch = { timeline: timeline + 1, history: [...history, left] };
  return { before: head, lsn: lsnFromBytes(head.lsn + RECORD_BYTES), branch, needs: head.needs };
}

/** True when `head` contains everything up to `part`: the same records, not only the same positions. */
export function contains(head: WalRecord, part: WalRecord): boolean {
  let record: WalRecord | null = head;
  while (record !== null && record.lsn > part.lsn) record = record.before;
  return record === part;
}

/** True when `head` has a branch with the number of `part`'s that is not the same branch. */
export function hasTwin(head: WalRecord, part: WalRecord): boolean {
  let record: WalRecord | null = head;
  const { branch } = part;
  while (record !== null && record.branch.timeline > branch.timeline) record = record.before;
  return record !== null && record.branch.timeline === branch.timeline && record.branch !== branch;
}
