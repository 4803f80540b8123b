import type { JsonObject } from "../base/json.ts";
import { parseSeconds } from "../base/units.ts";
import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import { isPaused } from "../core/sync_duty.ts";
import type { Selection } from "./selection.ts";
import { readWhen } from "./when.ts";

/** What `agent restart` is told. */
export interface RestartOptions extends Selection {
  /** Only members that wait for a restart. */
  readonly pending: boolean;
  /** Only members whose server is older than this. */
  readonly pgVersion: string | null;
  /** How long one member may take, as typed: seconds or with a unit. */
  readonly timeout: string | null;
  /** When, as typed; null: now. */
  readonly scheduled: string | null;
  /** Go on only when the server answers again as a member in good state. */
  readonly wait: boolean;
}

const USUAL_S = 300;
const DAY_S = 86_400;
const SPARE_MS = 60_000;

/** The request that the options come to, or why they cannot be used. */
export type ReadRestart =
  | {
    readonly kind: "good";
    readonly body: JsonObject;
    readonly iso: string | null;
    readonly limitMs: number;
  }
  | { readonly kind: "bad"; readonly what: string; readonly next: string };

/** Reads the options; `wallMs`: epoch milliseconds. */
export function readOptions(options: RestartOptions, wallMs: number): ReadRestart {
  const { pending, pgVersion, timeout, scheduled } = options;
  const when = readWhen(scheduled, wallMs);
  if (when.kind === "bad") return when;
  const seconds = timeout === null ? USUAL_S : parseSeconds(timeout) ?? 0;
  if (seconds <= 0 || seconds > DAY_S) {
    const next = "Write seconds or a number with a unit, at most a day: 90, 5min.";
    return { kind: "bad", what: `"${timeout}" is no positive time`, next };
  }
  if (pgVersion !== null && !/^(\d{2,}\.\d+|\d\.\d+\.\d+)$/.test(pgVersion)) {
    const next = "Write it like 15.4: servers older than that are restarted.";
    return { kind: "bad", what: `"${pgVersion}" is no version of PostgreSQL`, next };
  }
  const body: JsonObject = {
    ...(pending ? { restart_pending: true } : {}),
    ...(pgVersion === null ? {} : { postgres_version: pgVersion }),
    ...(when.iso === null ? {} : { schedule: when.iso }),
    ...(timeout === null ? {} : { timeout }),
  };
  return { kind: "good", body, iso: when.iso, limitMs: seconds * 1000 + SPARE_MS };
}

/** A refusal and what helps. */
export interface Barred {
  readonly what: string;
  readonly next: string;
}

/** Why nothing can be scheduled now, null when it can. */
export function whyBarred(
  view: ClusterView,
  members: readonly MemberState[],
  { isScheduled, force }: { readonly isScheduled: boolean; readonly force: boolean },
): Barred | null {
  if (!isScheduled) return null;
  if (isPaused(view)) {
    const next = "End maintenance mode first (agent resume), or restart now.";
    return { what: "Cannot schedule a restart in maintenance mode", next };
  }
  const taken = members.find(({ scheduledRestart }) => scheduledRestart !== null);
  if (force || taken === undefined) return null;
  const next = `Drop it first: agent flush restart ${taken.name}; --force does that too.`;
  return { what: `a restart of ${taken.name} is scheduled already`, next };
}

/** The question before it. */
export function question(
  view: ClusterView,
  members: readonly MemberState[],
  iso: string | null,
): string {
  const names = members.map(({ name }) =>
    name === view.lock?.holder ? `${name} (the leader)` : name
  );
  return `Restart ${names.join(", ")}${iso === null ? "" : ` at ${iso}`}?`;
}
