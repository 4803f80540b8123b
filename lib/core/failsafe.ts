import type { ClusterView, FailsafeList, MemberState } from "./cluster_view.ts";
import type { Lsn } from "./lsn.ts";

/** Addresses (`api_url`) by member name. */
export type Addresses = FailsafeList["members"];

/** A `failsafe` key that this node wrote and has not seen yet; the write may still happen. */
export interface FailsafeWrite {
  /** null: the key was to be deleted. */
  readonly members: Addresses | null;
  /** The revision that the write was compared with: once the key has another one, it cannot happen any more. */
  readonly revision: bigint;
}

/** What this node has promised: not to take the lock before the end. */
export interface PromiseView {
  /** The leader that it was given to; null: this process has just started and does not know what the one before promised. */
  readonly to: string | null;
  /** Boot clock. */
  readonly untilMs: number;
  /** Positions of slots as the leader sent them with its request. */
  readonly slots: Readonly<Record<string, Lsn>>;
}

/** Positions that members told with their consent, by member name. */
export type ConsentPositions = Readonly<Record<string, Lsn>>;

/** What a leader without the store asks for. */
export interface PromiseRequest {
  readonly name: string;
  readonly slots: PromiseView["slots"];
  /** How long the asker means to lead on the consent; null: it did not say. */
  readonly ttlMs: number | null;
}

/**
 * `failsafe` as the leader should write it: every member with an address, itself in any case, and those that are kept;
 * null: it must not exist.
 */
export function wantedFailsafe(
  { name: me, apiUrl: address }: Pick<MemberState, "name"> & { readonly apiUrl: string },
  cluster: ClusterView,
  kept: Addresses = {},
): Addresses | null {
  if (!cluster.settings.failsafeMode) return null;
  const members = cluster.members.flatMap(({ name, apiUrl }) => {
    return apiUrl === null ? [] : [[name, apiUrl] as const];
  });
  return Object.fromEntries([...Object.entries(kept), ...members, [me, address] as const]);
}

/** True when two contents of `failsafe` say the same. */
export function isSameList(one: Addresses | null, other: Addresses | null): boolean {
  const text = (list: Addresses | null): string => {
    return list === null ? "" : JSON.stringify(Object.entries(list).sort());
  };
  return text(one) === text(other);
}

/**
 * Who has to consent so that this node stays the leader without the store: all others of every list that may be in the
 * store, the one seen last and those written and not seen yet. Null: failsafe mode is off, or one of the lists lacks this
 * node, or there may be none. Whoever takes the lock next is in one of them.
 */
export function consenters(
  { failsafe, settings }: ClusterView,
  writes: readonly FailsafeWrite[],
  me: string,
): Addresses | null {
  if (!settings.failsafeMode || failsafe === null) return null;
  const lists = [failsafe.members, ...writes.map(({ members }) => members ?? {})];
  if (lists.some((list) => !Object.hasOwn(list, me))) return null;
  const all = lists.flatMap((list) => Object.entries(list));
  return Object.fromEntries(all.filter(([name]) => name !== me).sort());
}

/** Why this node must not lead by `failsafe` (case C5), or null. It counts also when the mode is off: a leader that the store does not reach has not seen that. */
export function whyUnlisted({ failsafe }: ClusterView, me: string): string | null {
  const names = Object.keys(failsafe?.members ?? {});
  if (names.length === 0 || names.includes(me)) return null;
  return `the list of failsafe mode does not name ${me}: a leader may go on without asking it ` +
    `(when ${names.join(", ")} are down for certain, delete the key failsafe)`;
}

/** What is left of the own writes after a view of the store: one that was seen, or that came too late, counts no more. */
export function openWrites(
  writes: readonly FailsafeWrite[],
  { failsafe }: ClusterView,
): readonly FailsafeWrite[] {
  const revision = failsafe?.revision ?? 0n;
  return writes.filter((write) => write.revision === revision);
}
