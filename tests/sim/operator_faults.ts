import type { Random } from "./random.ts";
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
  const leader = random.pick([holder, holder, null, random.pick(plan.names)]);
  const candidate = random.pick([null, ...plan.names, ...plan.names, "ghost"]);
  world.log("op", `-- wish ${leader} to ${candidate}`);
  if (leader === null && candidate === null) return nothing;
  store.wish(leader, candidate);
  world.node(holder)?.wake();
  return nothing;
}

function nothing(): void {}
