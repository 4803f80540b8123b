import type {
  ClusterUnreachable,
  ClusterView,
  HandoverWish,
  LockState,
  MemberState,
} from "../../lib/core/cluster_view.ts";
import type { Lsn } from "../../lib/core/lsn.ts";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import type {
  ControlData,
  LeaderReport,
  LeaseView,
  NodeView,
  PeerReport,
  PostgresView,
  PrimaryView,
  ReplicaView,
  RunningServer,
  SelfView,
  SlotView,
} from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { slotNameOf } from "../../lib/core/slot_name.ts";
import { readTags } from "../../lib/core/tags.ts";

/** The system identifier of every server that a builder makes. */
export const SYSTEM_ID = "7000000000000000001";

/** Boot clock of a built view. */
export const NOW_MS = 1_000_000;

/** A position by its byte count. */
export function lsn(bytes: number | bigint): Lsn {
  return lsnFromBytes(bytes);
}

/** The port that the builders give to a member: 5401 for "a", 5402 for "b" and so on. */
export function portOf(name: string): number {
  return 5400 + (name.codePointAt(0) ?? 0) - 96;
}

/** The published address of a member. */
export function connUrlOf(name: string): string {
  return `postgres://127.0.0.1:${portOf(name)}/postgres`;
}

/** This node, "a" unless told otherwise. */
export function self(overrides: Partial<SelfView> = {}): SelfView {
  const name = overrides.name ?? "a";
  return {
    name,
    apiUrl: `http://127.0.0.1:${portOf(name) + 2600}/patroni`,
    connUrl: connUrlOf(name),
    proxyUrl: null,
    tags: readTags({}),
    mayBootstrap: true,
    mayReclone: true,
    slotName: slotNameOf(name),
    ...overrides,
  };
}

/** What a running replica publishes; a member named like the lock holder should be given `role: "primary"`. */
export function member(name: string, overrides: Partial<MemberState> = {}): MemberState {
  return {
    name,
    connUrl: connUrlOf(name),
    apiUrl: `http://127.0.0.1:${portOf(name) + 2600}/patroni`,
    state: "running",
    role: "replica",
    version: "4.1.4",
    checkpointAfterPromote: true,
    tags: readTags({}),
    pendingRestart: false,
    pendingRestartReason: null,
    xlogLocation: lsn(1000),
    receiveLsn: null,
    replayLsn: null,
    replicationState: null,
    timeline: 1,
    scheduledRestart: null,
    pause: false,
    switchFired: null,
    proxyUrl: null,
    ...overrides,
  };
}

/** The leader key held by `holder`. */
export function lockOf(holder: string): LockState {
  return { holder, lease: "77", revision: 5n };
}

/** A request in `failover`, now, for anybody; add `leader` to make it a switchover. */
export function handover(overrides: Partial<HandoverWish> = {}): HandoverWish {
  return { leader: null, candidate: null, scheduledAtMs: null, revision: 9n, ...overrides };
}

/** A founded cluster of a, b and c on timeline 1, led by "a"; `lock` may be given as a name. */
export function cluster(
  overrides: Partial<Omit<ClusterView, "lock">> & { lock?: LockState | string | null } = {},
): ClusterView {
  const { lock = "a", ...rest } = overrides;
  const held = typeof lock === "string" ? lockOf(lock) : lock;
  return {
    kind: "seen",
    revision: 100n,
    systemId: SYSTEM_ID,
    lock: held,
    members: ["a", "b", "c"].map((name) =>
      member(name, { role: name === held?.holder ? "primary" : "replica" })
    ),
    config: { raw: {}, revision: 3n },
    settings: defaultSettings,
    sync: null,
    handover: null,
    failsafe: null,
    status: { lsn: lsn(1000), slots: {}, retainSlots: [] },
    history: null,
    faults: [],
    ...rest,
  };
}

/** A store that does not answer. */
export function unreachable(lastSeen: ClusterView | null = cluster()): ClusterUnreachable {
  return { kind: "unreachable", why: "no answer", lastSeen };
}

function running(): RunningServer {
  return {
    systemId: SYSTEM_ID,
    serverVersion: 150020,
    startTime: "2026-01-01 10:00:00.123456+00:00",
    slots: [],
    senders: [],
    pendingRestart: {},
  };
}

/** A running, checkpointed primary at position 1000 on timeline 1. */
export function primary(overrides: Partial<PrimaryView> = {}): PrimaryView {
  return {
    ...running(),
    kind: "primary",
    timeline: 1,
    lsn: lsn(1000),
    checkpointed: true,
    ...overrides,
  };
}

/** A replica of "b" that streams, at position 1000 on timeline 1; its slot there is "a". */
export function replica(overrides: Partial<ReplicaView> = {}): ReplicaView {
  return {
    ...running(),
    kind: "replica",
    timeline: 1,
    receivedLsn: lsn(1000),
    replayedLsn: lsn(1000),
    replayedAt: null,
    replayPaused: false,
    streaming: true,
    restores: false,
    upstream: { host: "127.0.0.1", port: portOf("b"), slotName: "a" },
    sourceEndLsn: lsn(1000),
    ...overrides,
  };
}

/** pg_controldata of a cleanly stopped primary. */
export function control(overrides: Partial<ControlData> = {}): ControlData {
  return {
    systemId: SYSTEM_ID,
    state: "shut down",
    timeline: 1,
    checkpointLsn: lsn(1000),
    minRecovery: null,
    ...overrides,
  };
}

/** A stopped server. */
export function down(
  overrides: Partial<ControlData> = {},
  crashed = false,
): PostgresView {
  return { kind: "down", control: control(overrides), crashed };
}

/** An inactive physical slot with reserved WAL. */
export function slot(name: string, overrides: Partial<SlotView> = {}): SlotView {
  return {
    name,
    kind: "physical",
    active: false,
    temporary: false,
    restartLsn: lsn(500),
    xmin: false,
    walStatus: "reserved",
    ...overrides,
  };
}

/** What a replica peer at position 1000 answers. */
export function peer(
  name: string,
  overrides: Partial<Extract<PeerReport, { kind: "answered" }>> = {},
): PeerReport {
  return {
    kind: "answered",
    name,
    isPrimary: false,
    lsn: lsn(1000),
    timeline: 1,
    tags: readTags({}),
    watchdogFailed: false,
    ...overrides,
  };
}

/** A peer without an answer. */
export function silentPeer(name: string): PeerReport {
  return { kind: "silent", name, why: "no answer within 2000 ms" };
}

/** The lock holder's history as seen over a replication connection; timeline 1 without a switch. */
export function leaderReport(
  name: string,
  overrides: Partial<Extract<LeaderReport, { kind: "seen" }>> = {},
): LeaderReport {
  return { kind: "seen", name, systemId: SYSTEM_ID, timeline: 1, history: [], ...overrides };
}

/** A lease with `leftMs` to go at `NOW_MS`. */
export function held(leftMs = 20_000): LeaseView {
  return { kind: "held", endsMs: NOW_MS + leftMs };
}

/** Node "a" as a healthy leader, unless overridden. */
export function nodeView(overrides: Partial<NodeView> = {}): NodeView {
  return {
    self: self(),
    nowMs: NOW_MS,
    wallMs: 1_767_261_600_000,
    cluster: cluster(),
    postgres: primary(),
    task: { kind: "idle" },
    lease: held(),
    peers: "not asked",
    leader: "not asked",
    wishes: [],
    ...overrides,
  };
}

/** Node "a" as a healthy replica of leader "b", unless overridden. */
export function replicaView(overrides: Partial<NodeView> = {}): NodeView {
  return nodeView({
    cluster: cluster({ lock: "b" }),
    postgres: replica(),
    lease: { kind: "none" },
    ...overrides,
  });
}

/** Node "a" as a healthy replica after the lock of "b" ended, unless overridden. */
export function raceView(overrides: Partial<NodeView> = {}): NodeView {
  return replicaView({ cluster: cluster({ lock: null }), ...overrides });
}
