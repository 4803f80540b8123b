import type { Decision } from "../../lib/core/action.ts";
import { contains } from "./wal.ts";
import type { World } from "./world.ts";

const CALM_MS = 60_000;

/**
 * A replica that nothing has troubled is stopped for a new copy only when it cannot stream from the leader any more. A full
 * disk looks the same from outside; a copy checks for room before it gives anything up.
 */
export function needlessCopy(world: World, name: string, { actions }: Decision): string | null {
  const isReplaced = actions.some((action) =>
    action.kind === "start-task" && action.task.kind === "stop" && action.task.forked === true
  );
  if (!isReplaced) return null;
  const own = world.server(name);
  const leader = world.server(world.store.lock?.value ?? "");
  if (own === null || leader === null || leader.process !== "running") return null;
  if (!world.faults.isCalm(name, CALM_MS)) return null;
  const isThere = own.head.lsn >= leader.keepsFrom && contains(leader.head, own.head);
  return isThere ? `it could follow ${leader.name}` : null;
}
