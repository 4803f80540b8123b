import type { JsonObject } from "../../lib/base/json.ts";
import type {
  ClusterView,
  FailsafeList,
  HandoverWish,
  HistoryLine,
  LeaderStatus,
  MemberState,
} from "../../lib/core/cluster_view.ts";
import type { Settings } from "../../lib/core/settings.ts";
import type { FailsafeWrite, Look } from "../../lib/dcs/port.ts";

interface Leased<T> {
  readonly value: T;
  readonly lease: string;
  readonly revision: bigint;
}

/** How a compare ended: a definite answer, as a transaction gives it. */
export type Verdict = { readonly kind: "done" } | {
  readonly kind: "refused";
  readonly why: string;
};

/** How a renewal ended in the store, before a network can lose the answer. */
export type Renewal =
  | { readonly kind: "held"; readonly view: ClusterView }
  | { readonly kind: "refused"; readonly keyIsFreeOrOurs: boolean }
  | { readonly kind: "lease-gone" };

const DONE: Verdict = { kind: "done" };
const EMPTY_STATUS: LeaderStatus = { lsn: null, slots: {}, retainSlots: [] };

/** A revisioned key store with leases that expire in true time, and what etcd would do to Patroni's keys. */
export class Store {
  revision = 1n;
  lock: Leased<string> | null = null;
  initialize: { readonly value: string; readonly lease: string | null } | null = null;
  config: { readonly raw: JsonObject; readonly revision: bigint } | null = null;
  status: LeaderStatus = EMPTY_STATUS;
  history: readonly HistoryLine[] | null = null;
  /** When a leader last wrote `status` or `history`. */
  #ledRevision = 0n;
  failsafe: FailsafeList | null = null;
  handover: HandoverWish | null = null;
  /** What an operator wished when the lock got its present holder. */
  lockWish: HandoverWish | null = null;
  /** Told whenever the lock gets another holder. */
  onLockTaken: (name: string) => void = () => {};
  /** A proof of the lock shows maintenance mode to its holder, whose switch rests from then on. */
  onPausedProof: (name: string) => void = () => {};
  readonly members = new Map<string, Leased<MemberState>>();
  readonly leases = new Map<string, { expiresMs: number; readonly ttlMs: number }>();
  readonly #firstSettings: Settings;
  #settings: Settings;
  readonly #onLockGone: () => void;
  #nextLease = 1;
  #view: ClusterView | null = null;

  constructor(settings: Settings, onLockGone: () => void) {
    this.#firstSettings = settings;
    this.#settings = settings;
    this.#onLockGone = onLockGone;
  }

  /** Removes what expired; to be called before every request and now and then. */
  expire(nowMs: number): void {
    for (const [lease, { expiresMs }] of this.leases) {
      if (expiresMs <= nowMs) this.revoke(lease);
    }
  }

  /** Everything under the scope; the same object while nothing changed. */
  read(): ClusterView {
    this.#view ??= this.#render();
    return this.#view;
  }

  /** A lease that counts from now. */
  grant(nowMs: number, ttlMs: number): string {
    const lease = String(this.#nextLease++);
    this.leases.set(lease, { expiresMs: nowMs + ttlMs, ttlMs });
    return lease;
  }

  /** Extends a lease; false when it is gone. */
  keepAlive(nowMs: number, lease: string): boolean {
    const known = this.leases.get(lease);
    if (known === undefined) return false;
    known.expiresMs = nowMs + known.ttlMs;
    return true;
  }

  /** Ends a lease with its keys. */
  revoke(lease: string): void {
    if (!this.leases.delete(lease)) return;
    for (const [name, key] of this.members) if (key.lease === lease) this.members.delete(name);
    if (this.initialize?.lease === lease) this.initialize = null;
    this.#touch();
    if (this.lock?.lease === lease) this.#dropLock();
  }

  /** Keep-alive, then the proof that the lock is ours. */
  renew(nowMs: number, name: string, lease: string): Renewal {
    if (!this.keepAlive(nowMs, lease)) return { kind: "lease-gone" };
    if (this.#isLockOf(name, lease)) {
      const view = this.read();
      if (view.settings.paused) this.onPausedProof(name);
      return { kind: "held", view };
    }
    return { kind: "refused", keyIsFreeOrOurs: this.lock === null || this.lock.value === name };
  }

  /** Creates the lock, if no leader has changed the list of failsafe mode, or written anything else, since this look. */
  takeLock(name: string, lease: string, look: Look | "any" = {}): Verdict {
    if (this.lock !== null) return refused(`${this.lock.value} holds the lock`);
    const { list = 0n, revision = this.revision } = look === "any" ? {} : look;
    const isSame = look === "any" || (this.failsafe?.revision ?? 0n) === list;
    if (!isSame) return refused("failsafe has changed");
    if (this.#ledRevision > revision) return refused("somebody has led since");
    return this.#putLock(name, lease);
  }

  /** Puts our lock under a new lease, or creates it. */
  retakeLock(name: string, lease: string): Verdict {
    if (this.lock !== null && this.lock.value !== name) {
      return refused("the lock has another holder");
    }
    return this.#putLock(name, lease);
  }

  /** Deletes the lock if name and lease are those. */
  releaseLock(name: string, lease: string): Verdict {
    if (!this.#isLockOf(name, lease)) return refused("the lock is not ours");
    this.#touch();
    this.#dropLock();
    return DONE;
  }

  /** Writes a member key. */
  writeMember(state: MemberState, lease: string): Verdict {
    if (!this.leases.has(lease)) return refused("the lease is gone");
    this.members.set(state.name, { value: state, lease, revision: this.#touch() });
    return DONE;
  }

  /** Creates `initialize` = "". */
  claimBootstrap(lease: string): Verdict {
    if (this.initialize !== null) return refused("initialize exists");
    if (!this.leases.has(lease)) return refused("the lease is gone");
    this.initialize = { value: "", lease };
    this.#touch();
    return DONE;
  }

  /** Deletes our own claim. */
  abandonBootstrap(lease: string): Verdict {
    if (this.initialize?.lease !== lease) return refused("the claim is not ours");
    this.initialize = null;
    this.#touch();
    return DONE;
  }

  /** Turns our own claim into a cluster. */
  foundCluster(lease: string, systemId: string, config: JsonObject): Verdict {
    if (this.initialize?.lease !== lease) return refused("the claim is not ours");
    this.initialize = { value: systemId, lease: null };
    this.config ??= { raw: config, revision: this.#touch() };
    this.#touch();
    return DONE;
  }

  /** Writes that only the holder of the lock may do. */
  asHolder(name: string, change: (store: Store) => void): Verdict {
    if (this.lock?.value !== name) return refused("the lock is not ours");
    const { history, status } = this;
    change(this);
    const revision = this.#touch();
    if (this.history !== history || this.status !== status) this.#ledRevision = revision;
    return DONE;
  }

  /** Puts an operator's wish. */
  wish(leader: string | null, candidate: string | null): void {
    this.handover = { leader, candidate, scheduledAtMs: null, revision: this.#touch() };
  }

  /** Puts the identity of the cluster back by hand. */
  restoreIdentity(systemId: string): void {
    this.initialize = { value: systemId, lease: null };
    this.#touch();
  }

  /** Removes the wish of that revision. */
  clearHandover(revision: bigint): Verdict {
    if (this.handover?.revision !== revision) return refused("the wish is another one");
    this.handover = null;
    this.#touch();
    return DONE;
  }

  /** Switches maintenance mode; it outlasts a wipe, as the agents remember it. */
  pause(on: boolean): void {
    this.#settings = { ...this.#settings, paused: on };
    this.#changeConfig({ pause: on });
  }

  /** Switches failsafe mode off, or back to what the run began with. */
  failsafeOff(off: boolean): void {
    const failsafeMode = this.#firstSettings.failsafeMode && !off;
    this.#settings = { ...this.#settings, failsafeMode };
    this.#changeConfig({ failsafe_mode: failsafeMode });
  }

  /** `failsafe`, when it is unchanged since that revision. */
  writeFailsafe(name: string, { members, revision }: FailsafeWrite): Verdict {
    if (revision !== (this.failsafe?.revision ?? 0n)) return refused("failsafe has changed");
    return this.asHolder(name, () => {
      this.failsafe = members && { members, revision: this.#touch() };
    });
  }

  /** Deletes every key; leases stay, as in etcd. */
  wipe(): void {
    this.members.clear();
    this.initialize = null;
    this.config = null;
    this.status = EMPTY_STATUS;
    this.history = null;
    this.#ledRevision = 0n;
    this.handover = null;
    this.failsafe = null;
    this.#touch();
    if (this.lock !== null) this.#dropLock();
  }

  /** True time at which the lock's lease ends if it is `name`'s; null without lock. */
  authorityEndsMs(name: string): number | null {
    if (this.lock?.value !== name) return null;
    return this.leases.get(this.lock.lease)?.expiresMs ?? null;
  }

  #isLockOf(name: string, lease: string): boolean {
    return this.lock?.value === name && this.lock.lease === lease;
  }

  #putLock(name: string, lease: string): Verdict {
    if (!this.leases.has(lease)) return refused("the lease is gone");
    const isNew = this.lock?.value !== name;
    if (isNew) this.lockWish = this.handover;
    this.lock = { value: name, lease, revision: this.#touch() };
    if (isNew) this.onLockTaken(name);
    return DONE;
  }

  #dropLock(): void {
    this.lock = null;
    this.#onLockGone();
  }

  #changeConfig(change: JsonObject): void {
    const raw = { ...this.config?.raw, ...change };
    if (this.config !== null) this.config = { raw, revision: this.#touch() };
    this.#touch();
  }

  #touch(): bigint {
    this.#view = null;
    return ++this.revision;
  }

  #render(): ClusterView {
    const { lock } = this;
    const members = [...this.members.values()].map((key) => key.value);
    return {
      kind: "seen",
      revision: this.revision,
      systemId: this.initialize?.value ?? null,
      lock: lock && { holder: lock.value, lease: lock.lease, revision: lock.revision },
      members: members.sort((one, other) => one.name < other.name ? -1 : 1),
      config: this.config,
      settings: this.#settings,
      sync: null,
      handover: this.handover,
      failsafe: this.failsafe,
      status: this.status,
      history: this.history,
      faults: [],
    };
  }
}

function refused(why: string): Verdict {
  return { kind: "refused", why };
}
