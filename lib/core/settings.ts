import type { Json, JsonObject } from "../base/json.ts";

/** Cluster-wide settings in force: the `config` key with defaults, limits and the timing rule applied. */
export interface Settings {
  /** Leader lease in seconds. */
  readonly ttlS: number;
  /** Pause between ticks in seconds. */
  readonly loopWaitS: number;
  /** Budget of one store or server operation with its retries, in seconds. */
  readonly retryTimeoutS: number;
  /** Bytes a candidate may be behind the last published leader position. */
  readonly maximumLagOnFailover: number;
  /** Refuse to lead from an older timeline than the cluster's; true unless switched off. */
  readonly checkTimeline: boolean;
  /** Newest lines kept in `history`; 0 keeps all. */
  readonly maxTimelinesHistory: number;
  /** Seconds that a crashed primary may take to come back before the lock is given up. */
  readonly primaryStartTimeoutS: number;
  /** Seconds that the slot of a vanished member is kept. */
  readonly memberSlotsTtlS: number;
  readonly useSlots: boolean;
  /** `postgresql.parameters` of the cluster, values as text. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
  readonly recoveryConf: Readonly<Record<string, string>>;
  /** Settings that are switched on but not implemented here: a node must not lead while there is one. */
  readonly unsupported: readonly string[];
  /** What was adjusted or ignored, one sentence each, for log and status. */
  readonly warnings: readonly string[];
}
