import { bootstrap, founding } from "./bootstrap.ts";
import { dcsLost, failsafe } from "./dcs_lost.ts";
import { follow } from "./follow.ts";
import { detach, foreignSystem, shutdown, unreadableData } from "./guards.ts";
import { handover } from "./handover.ts";
import { lead } from "./lead.ts";
import { reinitialize, restart } from "./operator.ts";
import { paused } from "./paused.ts";
import { race } from "./race.ts";
import { recoverLeader, recoverReplica } from "./recover.ts";
import type { Rule } from "./rule.ts";
import { taskRunning } from "./task_running.ts";
import { leaseLost, tooSmall, unready, watchdogGuard } from "./unready.ts";

/** The order in which the rules are asked; it is policy, and changes only with a decision record. */
export const LADDER: readonly Rule[] = [
  shutdown,
  detach,
  reinitialize,
  foreignSystem,
  failsafe,
  dcsLost,
  taskRunning,
  paused,
  founding,
  unreadableData,
  leaseLost,
  bootstrap,
  watchdogGuard,
  restart,
  unready,
  recoverLeader,
  recoverReplica,
  tooSmall,
  handover,
  lead,
  race,
  follow,
];
