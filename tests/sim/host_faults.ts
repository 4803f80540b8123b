import { unreachable } from "../../lib/base/never.ts";
import type { FaultKind } from "./plan.ts";
import type { Heal } from "./operator_faults.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

/** What befalls one host beside its agent. */
export type HostFault = Extract<
  FaultKind,
  | "switch-lost"
  | "data-spoiled"
  | "watchdog-fails"
  | "server-crash"
  | "server-silent"
  | "disk-full"
  | "wall-jump"
>;

/** Lets it happen. */
export function ail(
  kind: HostFault,
  node: SimNode,
  { world, random }: { readonly world: World; readonly random: Random },
): Heal {
  const { server } = node;
  switch (kind) {
    case "server-silent":
      server.silent = true;
      return () => void (server.silent = false);
    case "disk-full":
      server.diskFull = true;
      return () => void (server.diskFull = false);
    case "server-crash":
      if (server.process !== "off") world.die(server, false);
      return nothing;
    case "wall-jump":
      node.wallJumpMs += random.between(-3_600_000, 3_600_000);
      return nothing;
    case "data-spoiled":
      return spoil(server, world, random.chance(0.3));
    case "switch-lost":
      return loseSwitch(node, world);
    case "watchdog-fails":
      node.setWatchdog({ kind: "unusable", required: random.chance(0.5), why: "it fails" });
      return () => node.setWatchdog({ kind: "ready" });
    default:
      return unreachable(kind);
  }
}

/** Not readable, or of another cluster. Only beside a leader that has everything: nobody can promise what was on one disk alone. */
function spoil(server: Server, world: World, isForeign: boolean): Heal {
  const leader = world.server(world.store.lock?.value ?? "");
  const isCopy = server.data === "usable" && server.standby && !server.promoting;
  if (leader === null || leader === server || !leader.writable || !isCopy) return nothing;
  if (server.process !== "off") world.die(server, false);
  // Beside an emptied store another system would be as good as the own one.
  if (isForeign && !world.plan.faults.has("wipe")) server.systemId = world.nextSystemId();
  else server.data = "spoiled";
  return nothing;
}

/** Its agent, while it runs, replaces it. */
function loseSwitch(node: SimNode, world: World): Heal {
  node.guards.deadMan?.lose();
  if (!node.awake) world.checks.unfenced(node);
  return nothing;
}

function nothing(): void {}
