import { answering } from "../../lib/core/server_texts.ts";
import type { SimNode } from "../sim/sim_node.ts";
import type { World } from "../sim/world.ts";

/** Wall clock of the simulator's agents at its start. */
const WALL_AT_START_MS = 1_800_000_000_000;
const ANY = { role: null, olderThan: null, pendingOnly: false } as const;

let orders = 0;

/** A restart now (`afterMs` null) or at a moment, as `POST /restart` posts it. */
export function orderRestart(world: World, name: string, afterMs: number | null): void {
  const node = agentOf(world, name);
  const id = `order ${++orders}`;
  if (afterMs === null) {
    return node.order({ kind: "restart", id, conditions: ANY, timeoutS: null, schedule: null });
  }
  const startTime = answering(node.server.view([]))?.startTime ?? "";
  const schedule = { atMs: wallMs(world) + afterMs, startTime, shown: {} };
  node.order({ kind: "scheduled-restart", id, conditions: ANY, timeoutS: null, schedule });
}

/** A new copy, as `POST /reinitialize` posts it. */
export function orderCopy(world: World, name: string, how: string): void {
  const force = how === "force";
  agentOf(world, name).order({
    kind: "reinitialize",
    id: `order ${++orders}`,
    force,
    fromLeader: false,
  });
}

/** A switchover at a moment, as `POST /switchover` writes it into the store. */
export function scheduleSwitchover(
  world: World,
  names: { readonly leader: string; readonly candidate: string },
  afterMs: number,
): void {
  const { leader, candidate } = names;
  world.store.wish(leader, candidate === "-" ? null : candidate);
  const { handover } = world.store;
  if (handover === null) throw new TypeError("Cannot schedule: the store took no wish");
  world.store.handover = { ...handover, scheduledAtMs: wallMs(world) + afterMs };
  for (const node of world.nodes) node.wake();
}

function agentOf(world: World, name: string): SimNode {
  const node = world.node(name);
  if (node === null) throw new TypeError(`Cannot find member "${name}"`);
  return node;
}

function wallMs(world: World): number {
  return WALL_AT_START_MS + world.scheduler.nowMs;
}
