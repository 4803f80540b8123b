import { unreachable } from "../base/never.ts";
import type { TaskSpec } from "../core/action.ts";
import type { Settings } from "../core/settings.ts";
import type { JobResult, PostgresControl } from "../postgres/port.ts";
import type { Job } from "./task_slot.ts";

/** What jobs work with. */
export interface JobTools {
  readonly postgres: PostgresControl;
  readonly settings: Settings;
  /** True while the dead-man's switch is armed and there. */
  readonly isGuarded: () => Promise<boolean>;
}

const UNGUARDED: JobResult = {
  kind: "failed",
  why: "Cannot make the server writable: the dead-man's switch is not armed",
};

/** The work behind each kind of task: one call of the server's port. */
export function jobFor(task: TaskSpec, tools: JobTools): Job {
  return async (job): Promise<JobResult> => {
    const { postgres, settings } = tools;
    const mayWrite = task.kind === "promote" || task.kind === "start-primary";
    if (mayWrite && !await tools.isGuarded()) return UNGUARDED;
    switch (task.kind) {
      case "bootstrap":
        return postgres.bootstrap(settings, job);
      case "clone":
        return postgres.clone(task.source, task.old, settings, job);
      case "rewind":
        return postgres.rewind(task.source, settings, job);
      case "start-replica":
        return postgres.startReplica(task.upstream, settings, job);
      case "start-primary":
        return postgres.startPrimary(task.notAfterMs, task.timeoutMs, settings, job);
      case "follow":
        return postgres.follow(task.upstream, settings, job);
      case "pre-promote":
        return postgres.prePromote(job);
      case "promote":
        return postgres.promote(task.notAfterMs, job);
      case "stop":
        return postgres.stop(task.how, task.checkpointFirst, task.escalation, job);
      default:
        return unreachable(task);
    }
  };
}
