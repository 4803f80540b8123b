import type { Lsn } from "./lsn.ts";
import { parseLsn } from "./lsn.ts";

/** One line of a timeline history file: `timeline` ended at `switchLsn` and a higher one begins there. */
export interface TimelineSwitch {
  readonly timeline: number;
  readonly switchLsn: Lsn;
  readonly reason: string;
}

/**
 * Reads a timeline history file (`0000000N.history`; PostgreSQL docs, "Timelines"): one switch a line,
 * `timeline <tab> lsn <tab> reason`; comments and lines of another form are passed over.
 */
export function parseTimelineHistory(text: string): readonly TimelineSwitch[] {
  const switches: TimelineSwitch[] = [];
  for (const line of text.split("\n")) {
    const [, timeline, position, reason] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)(?:\s+(.*))?$/i
      .exec(line) ?? [];
    const switchLsn = position === undefined ? null : parseLsn(position);
    if (timeline === undefined || switchLsn === null) continue;
    switches.push({ timeline: Number(timeline), switchLsn, reason: (reason ?? "").trim() });
  }
  return switches;
}
