import type { JsonObject } from "../../lib/base/json.ts";
import type { Action } from "../../lib/core/action.ts";
import { unreachable } from "../../lib/base/never.ts";
import type { PeerReport } from "../../lib/core/node_view.ts";
import type { Node } from "./node.ts";
import type { Steps } from "./schedule.ts";
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
      return yield* askPeers(node, world);
    case "inspect-leader":
      return yield* inspectLeader(node, action.leader.name, world);
    case "claim-bootstrap":
      return yield* leased(node, world, (store, lease) => store.claimBootstrap(lease));
    case "abandon-bootstrap":
      return yield* leased(node, world, (store, lease) => store.abandonBootstrap(lease));
    case "found-cluster":
      return yield* leased(
        node,
        world,
        (store, lease) => store.foundCluster(lease, action.systemId, CONFIG),
      );
    case "take-lock":
      return yield* keeper.take();
    case "hold-lock":
      return keeper.order(true) ? DONE : { kind: "refused", why: "the lock is not held" };
    case "release-lock":
      return yield* keeper.release(action.lastLsn);
    case "clear-handover":
      return yield* write(node, world, (store) => store.clearHandover(action.revision));
    case "write-status":
      return yield* asHolder(node, world, (store) => store.status = { ...action });
    case "write-history":
      return yield* asHolder(node, world, (store) => store.history = action.lines);
    case "restore-keys":
      return yield* asHolder(node, world, (store) => {
        store.initialize ??= { value: action.systemId, lease: null };
        store.config ??= { raw: action.config, revision: store.revision };
      });
    case "sync-slots":
      if (server.process !== "running") return { kind: "refused", why: "the server does not run" };
      for (const slot of action.changes.create) server.slots.add(slot);
      for (const slot of action.changes.drop) server.slots.delete(slot);
      return DONE;
    case "apply-settings":
      return DONE;
    case "checkpoint":
      world.checkpointLater(server);
      return DONE;
    case "start-task":
      return node.tasks.start(action.task);
    case "cancel-task":
      return node.tasks.cancel();
    case "exit":
      world.log(name, "exits");
      node.kill();
      return DONE;
    default:
      return unreachable(action);
  }
}

function* write(
  node: Node,
  world: World,
  change: (store: Store) => Verdict,
): Steps<Answer> {
  const answer = yield* world.ask(node, node.timing.endpointMs, change);
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

function asHolder(node: Node, world: World, change: (store: Store) => void): Steps<Answer> {
  return write(node, world, (store) => store.asHolder(node.name, change));
}

function* askPeers(node: Node, world: World): Steps<Answer> {
  const names = new Set(node.memory.lastHealthyMembers.map((member) => member.name));
  for (const member of node.lastSeen?.members ?? []) names.add(member.name);
  names.delete(node.name);
  const reports = [...names].sort().map((peer) => reportOf(node, peer, world));
  const slow = reports.some((report) => report.kind === "silent" && report.why === "no answer");
  yield slow ? PEER_WAIT_MS : world.random.between(2, 40);
  node.peers = reports;
  return DONE;
}

function reportOf(node: Node, peerName: string, world: World): PeerReport {
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
