import type { JsonObject } from "../base/json.ts";
import type { ClusterView, HistoryLine } from "../core/cluster_view.ts";
import type { Lsn } from "../core/lsn.ts";

/**
 * How a write ended. "unknown": no answer, or one that proves nothing; it may still happen.
 * Expected outcomes are values: writes never throw `DcsUnreachable`.
 */
export type WriteResult =
  | { readonly kind: "done"; readonly revision: bigint }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/** How a renewal ended. "held": the transaction proved lock and lease, and read the view it carries. */
export type RenewResult =
  | { readonly kind: "held"; readonly view: ClusterView }
  /** A definite answer: the key is somebody else's, or gone, or not under our lease. */
  | { readonly kind: "refused"; readonly why: string; readonly keyIsFreeOrOurs: boolean }
  /** The lease itself is gone in the store. */
  | { readonly kind: "lease-gone" }
  | { readonly kind: "unknown"; readonly why: string };

/** The look at the store by which a member reaches for the lock. */
export interface Look {
  /** Revision of `failsafe` as read; absent and 0n: the view showed none. */
  readonly list?: bigint;
  /** Revision of the store; absent: nothing is asked of what was written since. */
  readonly revision?: bigint;
}

/** The store, in the core's terms. Every call obeys `signal`; the caller sets the deadline. */
export interface Dcs {
  /** Linearizable read of everything under the scope. Throws `DcsUnreachable`. */
  read(signal: AbortSignal): Promise<ClusterView>;
  /** A new lease of `ttlS` seconds; its id in decimal. Throws `DcsUnreachable`. */
  grantLease(ttlS: number, signal: AbortSignal): Promise<string>;
  /** Extends the lease: true, or false when the store does not know it. Proves nothing about the lock. Throws `DcsUnreachable`. */
  keepLeaseAlive(lease: string, signal: AbortSignal): Promise<boolean>;
  revokeLease(lease: string, signal: AbortSignal): Promise<void>;
  /** Keep-alive, then one transaction "value is my name and the lease is mine" that reads the whole prefix. */
  renewLock(name: string, lease: string, signal: AbortSignal): Promise<RenewResult>;
  /**
   * Creates the leader key under the lease; refused when it exists, when `failsafe` has another revision than in the look,
   * or when `status` or `history` was written after it. Else a look from before a leader's last change of that list could
   * take the lock from one that goes on without the store and does not ask this member; and one from before a whole
   * leadership could lead past everything that was written in it.
   */
  takeLock(
    name: string,
    lease: string,
    signal: AbortSignal,
    look?: Look,
  ): Promise<WriteResult>;
  /** The key holds our name but not our lease (the lease expired in the store): re-attach by compare on value, or create when absent. */
  retakeLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult>;
  /** Deletes the leader key if value and lease are ours. */
  releaseLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult>;
  /** Writes `members/<name>` under the lease. `json` comes from `core/publish.ts` in wire order. */
  writeMember(
    name: string,
    json: JsonObject,
    lease: string,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  /** Creates `initialize` = "" under the lease; refused when it exists. */
  claimBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult>;
  /** Deletes `initialize` if it is "" and ours. */
  abandonBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult>;
  /** `initialize` = systemId over our own claim, without a lease, and `config` when it is absent, in one transaction. */
  foundCluster(
    lease: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  /** `initialize` and `config`, each only when absent (the tree was wiped), and only while the lock is ours. */
  restoreKeys(
    name: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  /** `status`, only while the lock is ours. */
  writeStatus(name: string, status: StatusWrite, signal: AbortSignal): Promise<WriteResult>;
  /** `history`, only while the lock is ours. */
  writeHistory(
    name: string,
    lines: readonly HistoryLine[],
    signal: AbortSignal,
  ): Promise<WriteResult>;
  /**
   * `failsafe`, only while the lock is ours and the key is unchanged since the revision of the change.
   */
  writeFailsafe(name: string, change: FailsafeWrite, signal: AbortSignal): Promise<WriteResult>;
  /**
   * Puts an operator's request into `failover`; `revision` is that of the wish as read, compared. 0n: the view showed no
   * wish, be the key absent, `{}` or garbage.
   */
  writeHandover(wish: HandoverWrite, revision: bigint, signal: AbortSignal): Promise<WriteResult>;
  /** Puts `{}` into `failover` if its revision is still this one. */
  clearHandover(revision: bigint, signal: AbortSignal): Promise<WriteResult>;
  /** Replaces `config` if its revision is still this one (0n: the view showed none, be it absent or garbage). */
  writeConfig(config: JsonObject, revision: bigint, signal: AbortSignal): Promise<WriteResult>;
  /**
   * Calls `onHint` whenever something may have changed, until `signal` aborts; reconnects by itself, and reopens a
   * stream that carried nothing for `silenceMs`, without a call when nothing has changed meanwhile. A hint, never a proof:
   * it cannot tell a hung store.
   */
  watch(onHint: () => void, silenceMs: () => number, signal: AbortSignal): Promise<void>;
  /** How the store looks from this member, for /patroni and metrics. */
  health(): StoreHealth;
}

/** The content of `status`. */
export interface StatusWrite {
  readonly lsn: Lsn;
  readonly slots: Readonly<Record<string, Lsn>>;
  readonly retainSlots: readonly string[];
  readonly handoverRevision?: bigint;
}

/** A new content of `failsafe`. */
export interface FailsafeWrite {
  /** `api_url` by member name; null: the key is deleted. */
  readonly members: Readonly<Record<string, string>> | null;
  /** The revision that was read; 0n: the view showed none, be the key absent or garbage. */
  readonly revision: bigint;
}

/** The content of `failover`. */
export interface HandoverWrite {
  readonly leader: string | null;
  readonly candidate: string | null;
  /** ISO time with zone. */
  readonly scheduledAt: string | null;
}

/** The endpoints as this member sees them. */
export interface StoreHealth {
  readonly endpoints: readonly {
    readonly url: string;
    /** null: not asked yet. */
    readonly reachable: boolean | null;
    readonly lastError: string | null;
  }[];
  /** Epoch milliseconds of the last good answer; 0: never. */
  readonly lastSeenWallMs: number;
}
