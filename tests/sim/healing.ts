import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** For members that do not come up. */
const PATIENCE_MS = 120_000;

/**
 * What only an operator can do after all faults have ended: a key tree deleted while nobody was primary is restored (case
 * B6), and directories of another system are removed that never led, or that lost their identity with the key tree.
 */
export function helpOut(world: World, sinceMs: number): void {
  if (sinceMs >= PATIENCE_MS || allRun(world)) restoreIdentity(world);
  removeForeign(world);
}

/**
 * An operator starts every member that can be saved first, for the one with the newest data is to lead; after a wipe he sees
 * each of them listed again.
 */
function allRun({ nodes, plan, store }: World): boolean {
  return nodes.every(({ alive, name, server }) => {
    const isListed = !plan.faults.has("wipe") || store.members.has(name);
    const isShown = server.process === "running" && !server.silent && isListed;
    return alive && (server.data !== "usable" || isShown);
  });
}

function restoreIdentity({ checks, nodes, store }: World): void {
  if (store.initialize !== null || nodes.some(({ server }) => server.writable)) return;
  const usable = nodes.map(({ server }) => server).filter((server) => server.data === "usable");
  const rank = ({ systemId, head }: Server): number =>
    checks.hasLed(systemId) ? head.branch.timeline : 0;
  usable.sort((one, other) => rank(other) - rank(one));
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

function isForeign({ checks, plan }: World, { systemId }: Server, founded: string): boolean {
  return systemId !== founded && (!checks.hasLed(systemId) || plan.faults.has("wipe"));
}
