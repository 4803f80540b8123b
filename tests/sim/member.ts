import type { MemberState } from "../../lib/core/cluster_view.ts";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import type { PeerReport, PostgresView, SelfView } from "../../lib/core/node_view.ts";
import { slotNameOf } from "../../lib/core/slot_name.ts";
import { readTags } from "../../lib/core/tags.ts";
import type { Server } from "./server.ts";

/** Who a simulated member is. */
export interface Identity {
  readonly name: string;
  readonly nofailover: boolean;
}

const OPEN_TAGS = readTags({});
const CLOSED_TAGS = readTags({ nofailover: true });

/** The facts of its configuration. */
export function selfView({ name, nofailover }: Identity): SelfView {
  return {
    name,
    apiUrl: `http://${name}:8008/patroni`,
    connUrl: `postgres://${name}:5432/postgres`,
    proxyUrl: null,
    tags: nofailover ? CLOSED_TAGS : OPEN_TAGS,
    mayBootstrap: true,
    mayReclone: true,
    slotName: slotNameOf(name),
  };
}

/** The member key that this node writes for what it saw of its server. */
export function memberOf(
  identity: Identity,
  postgres: PostgresView,
  pause: boolean,
): MemberState {
  const { apiUrl, connUrl, tags, name } = selfView(identity);
  const lsn = postgres.kind === "replica" ? postgres.receivedLsn : null;
  return {
    name,
    apiUrl,
    connUrl,
    tags,
    ...condition(postgres),
    version: "4.1.4",
    checkpointAfterPromote: postgres.kind !== "primary" || postgres.checkpointed,
    pendingRestart: false,
    pendingRestartReason: null,
    xlogLocation: postgres.kind === "primary" ? postgres.lsn : lsn,
    receiveLsn: lsn,
    replayLsn: lsn,
    replicationState: postgres.kind === "replica" && postgres.streaming ? "streaming" : null,
    timeline: postgres.kind === "replica" || postgres.kind === "primary" ? postgres.timeline : null,
    scheduledRestart: null,
    pause,
    switchFired: null,
    proxyUrl: null,
  };
}

function condition(postgres: PostgresView): Pick<MemberState, "state" | "role"> {
  switch (postgres.kind) {
    case "primary":
      return { state: "running", role: "primary" };
    case "replica":
      return { state: "running", role: "replica" };
    case "starting":
      return { state: "starting", role: postgres.asReplica ? "replica" : "primary" };
    case "down":
      return { state: postgres.crashed ? "crashed" : "stopped", role: "demoted" };
    default:
      return { state: "unknown", role: "uninitialized" };
  }
}

/** What the agent of this server answers to a peer. */
export function reportOf(
  identity: Identity & { readonly server: Server },
  watchdogFailed: boolean,
): PeerReport {
  const { name, server } = identity;
  if (server.process !== "running") return { kind: "silent", name, why: "no WAL position" };
  const isPrimary = server.writable;
  const lsn = isPrimary ? LSN_ZERO : server.head.lsn;
  const { timeline } = server.head.branch;
  const { tags } = selfView(identity);
  return { kind: "answered", name, isPrimary, lsn, timeline, tags, watchdogFailed };
}
