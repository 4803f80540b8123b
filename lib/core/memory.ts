import type { ClusterView, MemberState } from "./cluster_view.ts";
import type { Outcome } from "./action.ts";
import type { NodeView } from "./node_view.ts";
import type { Settings } from "./settings.ts";
import type { JsonObject } from "../base/json.ts";

/** What this node must remember between ticks, and nothing that it could look up again. */
export interface Memory {
  /** A promotion was ordered at this time and is not known to have ended: it may still happen. Unobservable until the server has left recovery. */
  readonly promoteAskedMs: number | null;
  /** Members of the last view that had a leader: their keys may expire together with the leader's (A27). */
  readonly lastHealthyMembers: readonly MemberState[];
  /** Who led in that view; a former leader's priority does not count in the race (W6). */
  readonly lastLeader: string | null;
  /** The last `config` content that could be read: the store may lose it, only we can restore it (A21). */
  readonly lastConfig: JsonObject | null;
  /** Settings of the last readable `config`: they stay in force when the key is lost or turns invalid (I4). */
  readonly lastSettings: Settings | null;
  /** When we released the lock because the server would not start; we stay out of the race for ttl (no flapping). */
  readonly gaveUpMs: number | null;
  /** Since when our server is down under our lock: bounds primary_start_timeout. */
  readonly downSinceMs: number | null;
  /** Boot time at which each member (by slot name) was last seen: member_slots_ttl; expires with the key, so it cannot be looked up. */
  readonly memberSeenMs: Readonly<Record<string, number>>;
  /** Failed attempts of the same job kind in a row, and the time of the last: for pauses between tries. */
  readonly failedTask:
    | { readonly kind: string; readonly times: number; readonly lastMs: number }
    | null;
}

/** Nothing remembered: the state of a fresh process. */
export const initialMemory: Memory = {
  promoteAskedMs: null,
  lastHealthyMembers: [],
  lastLeader: null,
  lastConfig: null,
  lastSettings: null,
  gaveUpMs: null,
  downSinceMs: null,
  memberSeenMs: {},
  failedTask: null,
};
