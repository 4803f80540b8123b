import type { JsonObject } from "../../lib/base/json.ts";
import type { Action, SlotChanges } from "../../lib/core/action.ts";
import { unreachable } from "../../lib/base/never.ts";
import type { LeaderStatus } from "../../lib/core/cluster_view.ts";
import type { PeerReport } from "../../lib/core/node_view.ts";
import { askForConsents } from "./ask_for_consents.ts";
import type { Node } from "./node.ts";
import type { Steps } from "./schedule.ts";
import type { Server } from "./server.ts";
import type { SimNode } from "./sim_node.ts";
import type { Store, Verdict } from "./store.ts";
import type { World } from "./world.ts";

type Answer = Verdict | { readonly kind: "unknown" };

const DONE: Answer = { kind: "done" };
const CONFIG: JsonObject = { ttl: 30, loop_wait: 10, retry_timeout: 10 };
const PEER_WAIT_MS = 2000;

/** One action against the simulated surroundings; what the real one would refuse is refused. */
export function* act(action: Action, node: Node, world: World): Steps<Answer> {
  const { name, keeper, server } = node;
  switch (action.kind) {
    case "ask-peers":
      return yield* askPeers(node, world, action.only ?? null);
    case "inspect-leader":
      return yield* inspectLeader(node, action.leader.name, world);
    case "claim-bootstrap":
    case "abandon-bootstrap":
    case "found-cluster":
      return yield* bootstrapKey(action, node, world);
    case "take-lock":
      return yield* takeLock(node, world);
    case "hold-lock":
      return keeper.hold() ? DONE : { kind: "refused", why: "the lock is not held" };
    case "release-lock":
      return yield* keeper.release(lastStatus(action));
    case "clear-handover":
      return yield* write(node, world, (store) => store.clearHandover(action.revision));
    case "ask-consents":
      return yield* askForConsents(action, node, world);
    case "write-failsafe":
      return yield* write(node, world, (store) => store.writeFailsafe(name, action));
    case "write-status":
    case "write-history":
    case "restore-keys":
      return yield* write(node, world, (store) => writeAsHolder(action, name, store));
    case "sync-slots":
      return changeSlots(server, action.changes);
    default:
      return onHost(action, node, world);
  }
}

function lastStatus(
  { lastLsn, handoverRevision }: Extract<Action, { readonly kind: "release-lock" }>,
): Partial<LeaderStatus> | null {
  if (lastLsn === null) return null;
  return handoverRevision === undefined ? { lsn: lastLsn } : { lsn: lastLsn, handoverRevision };
}

function* takeLock(node: Node, world: World): Steps<Answer> {
  const { failsafe, revision } = node.lastSeen ?? { failsafe: null };
  const look = { list: failsafe?.revision ?? 0n, ...(revision === undefined ? {} : { revision }) };
  world.faults.reachesForLock(node);
  if (node.host.stalled) yield 0;
  const answer = yield* node.keeper.take(look);
  if (answer.kind === "refused") node.peers = "not asked";
  return answer;
}

type StoreKind =
  | "ask-peers"
  | "inspect-leader"
  | "claim-bootstrap"
  | "abandon-bootstrap"
  | "found-cluster"
  | "take-lock"
  | "hold-lock"
  | "release-lock"
  | "clear-handover"
  | "ask-consents"
  | "write-failsafe"
  | "write-status"
  | "write-history"
  | "restore-keys"
  | "sync-slots";

function onHost(
  action: Exclude<Action, { readonly kind: StoreKind }>,
  node: Node,
  world: World,
): Answer {
  switch (action.kind) {
    case "apply-settings":
      return DONE;
    case "disarm-switch":
      return node.keeper.guard.disarm();
    case "open-watchdog":
    case "close-watchdog":
      return switchWatchdog(node, action.kind === "open-watchdog");
    case "forget-promise":
      return forgetPromise(node, action.untilMs);
    case "checkpoint":
      return world.checkpointLater(node.server);
    case "start-task":
      return node.tasks.start(action.task);
    case "cancel-task":
      return node.tasks.cancel();
    case "settle":
      node.wishes = node.wishes.filter((wish) => !("id" in wish) || wish.id !== action.operation);
      return DONE;
    case "exit":
      return node.exit();
    default:
      return unreachable(action);
  }
}

function switchWatchdog(node: Node, isOn: boolean): Answer {
  if (isOn) node.watchdog.open();
  else node.watchdog.close();
  return DONE;
}

function forgetPromise(node: Node, untilMs: number): Answer {
  node.promises.forget(untilMs);
  return DONE;
}

function* write(
  node: Node,
  world: World,
  change: (store: Store) => Verdict,
): Steps<Answer> {
  const answer = yield* world.ask(node, node.storeBudgetMs(), change);
  return answer.kind === "lost" ? { kind: "unknown" } : answer.value;
}

function* leased(
  node: Node,
  world: World,
  change: (store: Store, lease: string) => Verdict,
): Steps<Answer> {
  const lease = yield* node.keeper.ensureLease();
  if (lease === null) return { kind: "unknown" };
  return yield* write(node, world, (store) => change(store, lease));
}

type BootstrapAction = Extract<
  Action,
  { readonly kind: "claim-bootstrap" | "abandon-bootstrap" | "found-cluster" }
>;

function bootstrapKey(action: BootstrapAction, node: Node, world: World): Steps<Answer> {
  return leased(node, world, (store, lease) => {
    switch (action.kind) {
      case "claim-bootstrap":
        return store.claimBootstrap(lease);
      case "abandon-bootstrap":
        return store.abandonBootstrap(lease);
      case "found-cluster":
        return store.foundCluster(lease, action.systemId, CONFIG);
      default:
        return unreachable(action);
    }
  });
}

type HolderAction = Extract<
  Action,
  { readonly kind: "write-status" | "write-history" | "restore-keys" }
>;

function writeAsHolder(action: HolderAction, name: string, store: Store): Verdict {
  return store.asHolder(name, () => {
    switch (action.kind) {
      case "write-status":
        store.status = { lsn: action.lsn, slots: action.slots, retainSlots: action.retainSlots };
        return;
      case "write-history":
        store.history = action.lines;
        return;
      case "restore-keys":
        store.initialize ??= { value: action.systemId, lease: null };
        store.config ??= { raw: action.config ?? {}, revision: store.revision };
        return;
      default:
        return unreachable(action);
    }
  });
}

function changeSlots(server: Server, { create, drop }: SlotChanges): Answer {
  if (server.process !== "running") return { kind: "refused", why: "the server does not run" };
  for (const slot of create) server.slots.add(slot);
  for (const slot of drop) server.slots.delete(slot);
  return DONE;
}

function* askPeers(node: Node, world: World, only: string | null): Steps<Answer> {
  const names = new Set(node.memory.lastHealthyMembers.map((member) => member.name));
  for (const member of node.lastSeen?.members ?? []) names.add(member.name);
  names.delete(node.name);
  node.promises.asksOthers();
  const asked = [...names].sort().filter((name) => only === null || name === only);
  node.peers = yield* askAll(node, asked, world);
  return DONE;
}

/** The answers of these members, and the time that they take. */
export function* askAll(
  node: SimNode,
  names: readonly string[],
  world: World,
): Steps<readonly PeerReport[]> {
  world.checks.timeline.asks(node.server, names);
  const reports = names.map((peer) => reportOf(node, peer, world));
  const slow = reports.some((report) => report.kind === "silent" && report.why === "no answer");
  yield slow ? PEER_WAIT_MS : world.random.between(2, 40);
  return reports;
}

function reportOf(node: SimNode, peerName: string, world: World): PeerReport {
  const peer = world.node(peerName);
  if (peer === null || !peer.alive) return { kind: "silent", name: peerName, why: "refused" };
  if (!peer.awake || !world.linked(node.name, peerName)) {
    return { kind: "silent", name: peerName, why: "no answer" };
  }
  return peer.report();
}

function* inspectLeader(node: Node, name: string, world: World): Steps<Answer> {
  yield world.random.between(2, 40);
  const server = world.server(name);
  if (server === null || server.process !== "running" || !world.linked(node.name, name)) {
    node.leader = { kind: "failed", name, why: "no connection" };
    return DONE;
  }
  const { timeline, history } = server.head.branch;
  node.leader = { kind: "seen", name, systemId: server.systemId, timeline, history };
  return DONE;
}
