import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/**
 * What only an operator can do after all faults have ended: a key tree deleted while nobody was primary is restored (case
 * B6), and directories of another system that never led are removed.
 */
export function helpOut(world: World): void {
  restoreIdentity(world);
  removeForeign(world);
}

function restoreIdentity({ nodes, store }: World): void {
  if (store.initialize !== null || nodes.some(({ server }) => server.writable)) return;
  const usable = nodes.map(({ server }) => server).filter((server) => server.data === "usable");
  usable.sort((one, other) => other.head.branch.timeline - one.head.branch.timeline);
  if (usable[0] !== undefined) store.restoreIdentity(usable[0].systemId);
}

function removeForeign(world: World): void {
  const founded = world.store.initialize?.value ?? "";
  if (founded === "") return;
  for (const { server } of world.nodes) {
    if (server.data !== "usable" || !isForeign(world, server, founded)) continue;
    if (server.process !== "off") world.die(server, false);
    server.data = "none";
  }
}

function isForeign({ checks }: World, { systemId }: Server, founded: string): boolean {
  return systemId !== founded && !checks.hasLed(systemId);
}
