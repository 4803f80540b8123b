import type { OldData, Source } from "../action.ts";
import type { ClusterView, MemberState } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, UpstreamView } from "../node_view.ts";
import { leaderMember, localSystemId, restUntilMs, settingsOf } from "./facts.ts";
import { act } from "./rule.ts";
import type { Answer } from "./rule.ts";

/** The member as a source, null without an address. */
export function sourceOf(member: MemberState | null): Source | null {
  if (member === null || member.connUrl === null) return null;
  return { name: member.name, connUrl: member.connUrl };
}

/**
 * Whom a replica is to stream from: the member of its tag `replicatefrom` when that runs and does not in turn stream
 * from here, else the leader. "none": by tag. null: nobody has an address, so nothing is to be changed.
 */
export function wantedUpstream(view: NodeView, cluster: ClusterView): Source | "none" | null {
  if (view.self.tags.nostream) return "none";
  const leader = sourceOf(leaderMember(cluster, view.self.name));
  const named = view.self.tags.replicatefrom;
  if (named === null || named === view.self.name) return leader;
  const member = cluster.members.find((each) => each.name === named) ?? null;
  if (member?.state !== "running" || leadsBackTo(view.self.name, member, cluster)) return leader;
  return sourceOf(member) ?? leader;
}

function leadsBackTo(me: string, start: MemberState, cluster: ClusterView): boolean {
  const passed = new Set<string>();
  let member: MemberState | undefined = start;
  while (member !== undefined && !passed.has(member.name)) {
    passed.add(member.name);
    const next: string | null = member.tags.replicatefrom;
    if (next === null || member.name === cluster.lock?.holder) return false;
    if (next === me) return true;
    member = cluster.members.find((each) => each.name === next);
  }
  return member !== undefined;
}

/** True when the replica is configured to follow exactly this source with this slot. */
export function followsSource(
  upstream: UpstreamView | null,
  source: Source | null,
  slotName: string | null,
): boolean {
  if (source === null || upstream === null) return source === null && upstream === null;
  const address = addressOf(source.connUrl);
  return address !== null && upstream.host === address.host && upstream.port === address.port &&
    upstream.slotName === slotName;
}

/** Host and port of a published `postgres://host:port/database`, brackets of IPv6 taken off; null for garbage. */
export function addressOf(
  connUrl: string,
): { readonly host: string; readonly port: number } | null {
  const [, authority] = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(connUrl) ?? [];
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(authority ?? "") ?? [];
  if (host === undefined) return null;
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? "5432") };
}

/** The slot this member uses on its source, null when slots are off. */
export function wantedSlotName(view: NodeView, memory: Memory): string | null {
  return settingsOf(view, memory).useSlots ? view.self.slotName : null;
}

/** Copies a running member: the first by name with `clonefrom`, else the leader; after a failure the leader. */
export function cloneFrom(
  view: NodeView,
  memory: Memory,
  order: { readonly old: OldData; readonly why: string },
): Answer {
  const source = view.cluster.kind === "seen" ? cloneSource(view, view.cluster, memory) : null;
  if (source === null) return act(`${order.why}; waiting for a leader to copy`, []);
  const restMs = restUntilMs(view, memory, "clone");
  if (restMs !== null) {
    return act(`${order.why}; the last copy failed, trying again later`, [], restMs);
  }
  const task = { kind: "clone", source, ...order } as const;
  return act(`${order.why}: copying ${source.name}`, [{ kind: "start-task", task }]);
}

/** Whom to copy: the first running member by name with `clonefrom`, else the leader; after a failed copy the leader. */
export function cloneSource(view: NodeView, cluster: ClusterView, memory: Memory): Source | null {
  return ofThisSystem(view, cluster, chosenSource(view, cluster, memory));
}

/** An address may lead to the server of another cluster: a copy is of the cluster's system, or of what lies here. */
export function ofThisSystem(
  view: NodeView,
  cluster: ClusterView,
  source: Source | null,
): Source | null {
  const systemId = cluster.systemId || localSystemId(view.postgres);
  return source === null || systemId === null ? source : { ...source, systemId };
}

function chosenSource(view: NodeView, cluster: ClusterView, memory: Memory): Source | null {
  const leader = leaderMember(cluster, view.self.name);
  if (leader === null) return null;
  const isChosen = (member: MemberState): boolean =>
    member.tags.clonefrom && member.state === "running" && member.connUrl !== null &&
    member.name !== view.self.name && member.name !== leader.name;
  const hasFailed = memory.failedTask?.kind === "clone";
  const chosen = hasFailed ? undefined : cluster.members.find(isChosen);
  return sourceOf(chosen ?? leader);
}
