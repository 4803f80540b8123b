import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import { isStandbyCluster } from "../core/sync_duty.ts";
import { nearest } from "../base/nearest.ts";

/** Roles of members as the command line names them; `standby_leader` is taken for `standby-leader`. */
export const ROLES = [
  "leader",
  "primary",
  "standby-leader",
  "replica",
  "standby",
  "any",
] as const;

/** One role of the command line. */
export type Role = typeof ROLES[number];

/** Which members a command is about. */
export interface Selection {
  /** Empty: all of them. The first may be the name of the cluster, as Patroni's tool wants it. */
  readonly names: readonly string[];
  /** null: every role. */
  readonly role: Role | null;
  /** Only the first of those that are left. */
  readonly onlyOne: boolean;
}

/** The members, replicas before the leader, or why there are none. */
export type Chosen =
  | { readonly kind: "chosen"; readonly members: readonly MemberState[]; readonly isAll: boolean }
  | { readonly kind: "refused"; readonly what: string; readonly next: string };

/** Picks the members of a selection. */
export function select(view: ClusterView, scope: string, selection: Selection): Chosen {
  const names = memberNames(view, scope, selection.names);
  const known = view.members.map(({ name }) => name);
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) return unknown(stranger, known);
  const fitting = leaderLast(view).filter(({ name }) => {
    return (names.length === 0 || names.includes(name)) && hasRole(view, name, selection.role);
  });
  if (fitting.length === 0) {
    const what = selection.role === null
      ? "the cluster has no members"
      : `no member has the role ${selection.role}`;
    return { kind: "refused", what, next: "agent list shows the members and their roles." };
  }
  const members = selection.onlyOne ? fitting.slice(0, 1) : fitting;
  return { kind: "chosen", members, isAll: members.length === known.length };
}

/** Without the name of the cluster in front, unless a member has that name too. */
function memberNames(
  view: ClusterView,
  scope: string,
  [first, ...rest]: readonly string[],
): readonly string[] {
  if (first === undefined) return [];
  const isCluster = first === scope && !view.members.some(({ name }) => name === first);
  return isCluster ? rest : [first, ...rest];
}

function unknown(name: string, known: readonly string[]): Chosen {
  const near = nearest(name, known);
  const hint = near === null
    ? `Members: ${
      known.join(", ") || "none"
    }. One whose agent does not run, or hangs, is not there.`
    : `Did you mean ${near}?`;
  return { kind: "refused", what: `no member is named "${name}"`, next: hint };
}

/** Whether a member has a role, by the lock and not by what it says of itself. */
function hasRole(view: ClusterView, name: string, role: Role | null): boolean {
  const leads = view.lock?.holder === name;
  switch (role) {
    case null:
    case "any":
      return true;
    case "leader":
      return leads;
    case "primary":
      return leads && !isStandbyCluster(view);
    case "standby-leader":
      return leads && isStandbyCluster(view);
    case "replica":
    case "standby":
      return !leads;
  }
}

/** The members in the order in which they are asked to change the store: the leader knows best. */
export function leaderFirst({ lock, members }: ClusterView): readonly MemberState[] {
  const leads = ({ name }: MemberState): number => name === lock?.holder ? 0 : 1;
  return [...members].sort((one, other) => leads(one) - leads(other));
}

function leaderLast({ lock, members }: ClusterView): readonly MemberState[] {
  const leads = ({ name }: MemberState): number => name === lock?.holder ? 1 : 0;
  return [...members].sort((one, other) => leads(one) - leads(other));
}
