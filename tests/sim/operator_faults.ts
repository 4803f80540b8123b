import { answering } from "../../lib/core/server_texts.ts";
import type { Random } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

/** Ends a fault. */
export type Heal = () => void;

/** What somebody writes into the store, or takes out of it. */
export function writeIntoStore(
  kind: "handover" | "wipe" | "pause" | "failsafe-off",
  world: World,
  random: Random,
): Heal {
  if (kind === "handover") return wish(world, random);
  return kind === "wipe" ? wipe(world) : switchMode(kind, world);
}

/** Every agent that reaches the store is woken by the change. */
function switchMode(mode: "pause" | "failsafe-off", { network, store, nodes }: World): Heal {
  const end = network.raise(mode);
  const tell = (): void => {
    if (mode === "pause") store.pause(network.paused);
    else store.failsafeOff(network.withoutFailsafe);
    for (const node of nodes) node.wake();
  };
  tell();
  return () => {
    end();
    tell();
  };
}

function wipe({ checks, scheduler, store }: World): Heal {
  checks.wiped();
  store.expire(scheduler.nowMs);
  store.wipe();
  return nothing;
}

function wish(world: World, random: Random): Heal {
  const { plan, store } = world;
  const holder = store.lock?.value ?? random.pick(plan.names);
  const drawn = random.pick([holder, holder, null, random.pick(plan.names)]);
  const isEmpty = store.initialize === null && store.lock === null;
  const leader = isEmpty ? null : drawn; // no agent takes a switchover from whoever does not lead
  const candidate = random.pick([null, ...plan.names, ...plan.names, "ghost"]);
  world.log("op", `-- wish ${leader} to ${candidate}`);
  if (leader === null && candidate === null) return nothing;
  store.wish(leader, candidate);
  world.node(holder)?.wake();
  return nothing;
}

const ANY = { role: null, olderThan: null, pendingOnly: false } as const;

/** What is done to one server, by an operator or by its settings. */
export function operate(
  kind: "order" | "settings-raised" | "wal-removed",
  node: SimNode,
  { world, random }: { readonly world: World; readonly random: Random },
): Heal {
  if (kind === "order") return giveOrder(node, world, random);
  if (kind === "settings-raised") return raiseSettings(node, world);
  node.server.removeWal(); // slots keep no more than is allowed: whoever is behind cannot follow it any more
  return nothing;
}

/** A restart, now or soon, or a new copy, of whichever server it is; the agent judges. */
function giveOrder(node: SimNode, { scheduler }: World, random: Random): Heal {
  const id = `order at ${scheduler.nowMs}`;
  const kind = random.pick(["restart", "restart", "scheduled-restart", "reinitialize"] as const);
  const force = random.chance(0.5);
  const timeoutS = random.pick([null, 1, 60]);
  const inMs = random.between(0, 60_000);
  if (kind === "reinitialize") {
    node.order({ kind, id, force, fromLeader: force });
    return nothing;
  }
  const startTime = answering(node.server.view([]))?.startTime ?? "";
  const atMs = 1_800_000_000_000 + scheduler.nowMs + node.wallJumpMs + inMs;
  const schedule = kind === "restart" ? null : { atMs, startTime, shown: {} };
  node.order({ kind, id, conditions: ANY, timeoutS, schedule });
  return nothing;
}

const RAISE = 10;

/** The cluster's configuration asks for more, and somebody restarts one server, which may be the primary. */
function raiseSettings(node: SimNode, { nodes, scheduler }: World): Heal {
  for (const { server } of nodes) server.wantedSetting += RAISE;
  const id = `raise at ${scheduler.nowMs}`;
  node.order({ kind: "restart", id, conditions: ANY, timeoutS: 60, schedule: null });
  return nothing;
}

function nothing(): void {}
