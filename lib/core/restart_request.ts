import { type Json, type JsonObject, plainText } from "../base/json.ts";
import { parseSeconds } from "../base/units.ts";
import type { RestartConditions } from "./node_view.ts";
import type { Refusal } from "./requests.ts";
import { badSchedule, readScheduledAt } from "./schedule.ts";

/** A restart as an operator ordered it. */
export interface RestartOrder {
  readonly conditions: RestartConditions;
  readonly timeoutS: number | null;
  /** Epoch milliseconds; null: now. */
  readonly atMs: number | null;
  /** The request's fields, as a scheduled restart is published. */
  readonly shown: JsonObject;
}

/** What a request is judged with. */
export interface RestartFacts {
  readonly isPaused: boolean;
  readonly wallMs: number;
}

type Draft = {
  role: RestartConditions["role"];
  olderThan: number | null;
  pendingOnly: boolean;
  timeoutS: number | null;
  atMs: number | null;
  readonly shown: Record<string, Json>;
};

/** Judges the form of `POST /restart` (spec 3.5): its keys in the order of the body, the first bad one answers. */
export function readRestart(
  body: JsonObject,
  facts: RestartFacts,
): Refusal | { readonly kind: "accepted"; readonly order: RestartOrder } {
  if (facts.isPaused && "schedule" in body) {
    return refused(500, "Can't schedule restart in the paused state");
  }
  const draft: Draft = {
    role: null,
    olderThan: null,
    pendingOnly: false,
    timeoutS: null,
    atMs: null,
    shown: {},
  };
  for (const [key, value] of Object.entries(body)) {
    draft.shown[key] = value;
    const refusal = readKey(draft, { key, value, wallMs: facts.wallMs });
    if (refusal !== null) return refusal;
  }
  const { role, olderThan, pendingOnly, timeoutS, atMs, shown } = draft;
  const conditions = { role, olderThan, pendingOnly };
  return { kind: "accepted", order: { conditions, timeoutS, atMs, shown } };
}

/** `restart_pending` counts by its presence, whatever its value. */
function readKey(
  draft: Draft,
  { key, value, wallMs }: { readonly key: string; readonly value: Json; readonly wallMs: number },
): Refusal | null {
  switch (key) {
    case "schedule":
      return readSchedule(draft, value, wallMs);
    case "role":
      return readRole(draft, value);
    case "postgres_version":
      return readVersion(draft, plainText(value));
    case "timeout":
      return readTimeout(draft, value);
    case "restart_pending":
      draft.pendingOnly = true;
      return null;
    default:
      return refused(400, `Unknown filter for the scheduled restart: ${key}`);
  }
}

function readSchedule(draft: Draft, value: Json, wallMs: number): Refusal | null {
  const moment = readScheduledAt(value, wallMs);
  if (moment.kind === "bad") return { kind: "refused", ...badSchedule(moment.why, "restart") };
  draft.atMs = moment.epochMs;
  return null;
}

function readRole(draft: Draft, value: Json): Refusal | null {
  if (value !== "primary" && value !== "standby_leader" && value !== "replica") {
    return refused(400, "PostgreSQL role should be either primary, standby_leader, or replica");
  }
  draft.role = value;
  return null;
}

function readVersion(draft: Draft, text: string): Refusal | null {
  if (!/^[\d.]+$/.test(text)) return refused(400, `Invalid PostgreSQL version: ${text}`);
  const number = versionNumber(text);
  if (number === null) {
    const form = "Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted";
    return refused(400, `${form}: ${text}`);
  }
  draft.olderThan = number;
  return null;
}

/** 150004 of "15.4", 90624 of "9.6.24"; null for any other form. */
function versionNumber(text: string): number | null {
  const parts = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?$/.exec(text);
  if (parts === null) return null;
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  if (parts[3] !== undefined) return major * 10_000 + minor * 100 + Number(parts[3]);
  return major >= 10 ? major * 10_000 + minor : null;
}

function readTimeout(draft: Draft, value: Json): Refusal | null {
  const seconds = Math.trunc(parseSeconds(value) ?? 0);
  if (seconds <= 0) return refused(400, "Timeout should be a positive number of seconds");
  draft.timeoutS = seconds;
  draft.shown["timeout"] = seconds;
  return null;
}

function refused(status: number, text: string): Refusal {
  return { kind: "refused", status, text };
}
