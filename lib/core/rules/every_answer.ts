import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { errandWakeMs, settleErrands } from "./errands.ts";
import { authorityEndsMs, lockSide, lookForConsentsMs } from "./facts.ts";
import { earlier } from "./rule.ts";
import type { Answer } from "./rule.ts";
import { mayCloseWatchdog } from "./watchdog.ts";

/** Lays the dead-man's switch to rest; the shell refuses while the lock is held in time. */
export const DISARM: Action = { kind: "disarm-switch" };

const CLOSE_WATCHDOG: Action = { kind: "close-watchdog" };

/** Refused unless the claim is our own. */
const ABANDON: Action = { kind: "abandon-bootstrap" };

/**
 * What every answer gets, whichever rung gave it: operators are told how their orders ended, switch and watchdog are laid to
 * rest first where they have nothing left to guard, a claim is given back last where it is in the way, and a node that may
 * lead looks again when its lease has to be given up.
 */
export function complete(view: NodeView, memory: Memory, answer: Answer): Answer {
  const first = [
    ...(mayCloseWatchdog(view, memory, answer.actions) ? [CLOSE_WATCHDOG] : []),
    ...(mayDisarm(view, memory, answer.actions) ? [DISARM] : []),
  ];
  const endsMs = earlier(authorityEndsMs(view, memory), lookForConsentsMs(view, memory));
  const wakeAtMs = earlier(earlier(answer.wakeAtMs, endsMs), errandWakeMs(view, memory));
  const ends = settleErrands(view, memory);
  const last = mayBlockOthers(view, answer) ? [ABANDON] : [];
  return { ...answer, actions: [...ends, ...first, ...answer.actions, ...last], wakeAtMs };
}

/**
 * True when somebody leads although a bootstrap claim is there, after the key tree was emptied or the claimer's server was
 * stopped. The claim may be ours; our own lease keeps it, and as long as it is there the leader cannot put the identity of
 * the cluster back, by which a directory of another system is known.
 */
function mayBlockOthers(view: NodeView, { actions, again }: Answer): boolean {
  const { cluster, self } = view;
  if (cluster.kind !== "seen" || cluster.systemId !== "" || !self.mayBootstrap) return false;
  const isLeaving = actions.some((action) => action.kind === "exit");
  return lockSide(view) === "other" && !again && !isLeaving;
}

/**
 * True when the armed switch has nothing left to guard: no right to lead, and a server that is down, or in recovery
 * with no promotion asked for. It comes before all else, for the switch would fence a replica that is started next.
 * A replica found after a restart of the agent may have been asked to promote by the process before, so it stays
 * guarded. A directory without readable data may hold a server: it counts after the fence, or when the task that is
 * about to start clears it.
 */
function mayDisarm(view: NodeView, memory: Memory, actions: readonly Action[]): boolean {
  const { armed, postgres, task } = view;
  if (armed === undefined || armed === null || task.kind === "running") return false;
  if (authorityEndsMs(view, memory) !== null) return false;
  switch (postgres.kind) {
    case "down":
      return true;
    case "replica":
      return !mayBePromoted(memory) && !armed.inherited;
    case "no-data":
    case "unreadable":
      return view.nowMs >= armed.endsMs || actions.some(isClone);
    default:
      return false;
  }
}

function isClone(action: Action): boolean {
  return action.kind === "start-task" && action.task.kind === "clone";
}
