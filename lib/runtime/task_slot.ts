import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import type { TaskSpec } from "../core/action.ts";
import type { CopiedBytes, TaskView } from "../core/node_view.ts";
import type { JobContext, JobResult } from "../postgres/port.ts";
import { outlasts, withinClock } from "./clock_deadline.ts";

/** The work of one task; it obeys `JobContext` and reports failures as values. */
export type Job = (context: JobContext) => Promise<JobResult>;

/** What starting or cancelling came to. */
export type SlotAnswer = { readonly kind: "done" } | {
  readonly kind: "refused";
  readonly why: string;
};

/** What the slot is made of. `onEnd` is told when a task ended: the loop looks again at once. */
export interface TaskSlotOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onEnd: (task: TaskSpec) => void;
  /** Told how each job ended, preempted ones included. */
  readonly onResult?: (task: TaskSpec, result: JobResult) => void;
}

interface RunningTask {
  readonly task: TaskSpec;
  readonly sinceMs: number;
  readonly abort: AbortController;
  cancellable: boolean;
  progress: string | null;
  bytes: CopiedBytes | null;
  done: Promise<void>;
}

/** A preempted job may take this long to let go of the server before the stop goes ahead without it. */
const LET_GO_MS = 3000;

/**
 * Holds at most one exclusive job: whatever changes the server or its data directory. Only a stop goes
 * before: it cancels the job that runs, waits for its end as long as the lease allows, and then acts in any case.
 */
export class TaskSlot {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onEnd: (task: TaskSpec) => void;
  readonly #onResult: TaskSlotOptions["onResult"];
  readonly #open = new Set<Promise<void>>();
  #running: RunningTask | null = null;
  #last: TaskView = { kind: "idle" };

  constructor(options: TaskSlotOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onEnd = options.onEnd;
    this.#onResult = options.onResult;
  }

  /** The job as it stands now. */
  view(): TaskView {
    const running = this.#running;
    if (running === null) return this.#last;
    const { task, sinceMs, cancellable, progress, bytes } = running;
    const known = bytes === null ? {} : { bytes };
    return { kind: "running", task, sinceMs, cancellable, progress, ...known };
  }

  /** Starts the job and returns at once; refused while another runs that may not be preempted. */
  start(task: TaskSpec, job: Job): SlotAnswer {
    const before = this.#running;
    if (before !== null && !preempts(task, before.task)) {
      return { kind: "refused", why: `${before.task.kind} is running` };
    }
    const running: RunningTask = {
      task,
      sinceMs: this.#clock.bootMs(),
      abort: new AbortController(),
      cancellable: task.kind !== "stop",
      progress: null,
      bytes: null,
      done: Promise.resolve(),
    };
    this.#running = running;
    running.done = this.#run(running, before, job);
    this.#keep(running.done);
    return { kind: "done" };
  }

  /** Asks the running job to end; refused when there is none or its point of no return has passed. */
  cancel(): SlotAnswer {
    const running = this.#running;
    if (running === null) return { kind: "refused", why: "no task is running" };
    if (!running.cancellable) {
      return { kind: "refused", why: `${running.task.kind} cannot be cancelled any more` };
    }
    running.abort.abort();
    return { kind: "done" };
  }

  /** Waits until no job is left, preempted ones included, or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    while (this.#open.size > 0 && !signal.aborted) {
      await outlasts(Promise.all(this.#open), signal);
    }
  }

  #keep(done: Promise<void>): void {
    this.#open.add(done);
    void done.finally(() => this.#open.delete(done));
  }

  async #run(running: RunningTask, before: RunningTask | null, job: Job): Promise<void> {
    if (before !== null) await this.#preempt(before, running.task);
    const result = await this.#result(running, job);
    this.#tell(running, result);
    this.#onResult?.(running.task, result);
    if (this.#running !== running) return; // a stop took the slot meanwhile: its end is what counts
    this.#running = null;
    this.#last = {
      kind: "ended",
      task: running.task,
      result: result.kind,
      reason: result.kind === "failed" ? result.why : null,
      endedMs: this.#clock.bootMs(),
    };
    this.#onEnd(running.task);
  }

  #tell({ task, sinceMs }: RunningTask, result: JobResult): void {
    const tookMs = this.#clock.bootMs() - sinceMs;
    if (result.kind === "failed") {
      this.#log.warn(`Task ${task.kind} failed: ${result.why}`, { task: task.kind, tookMs });
      return;
    }
    const note = result.kind === "done" ? result.note : undefined;
    if (note !== undefined) this.#log.warn(`Task ${task.kind}: ${note}`, { task: task.kind });
    this.#log.info(`Task ${task.kind}: ${result.kind}`, { task: task.kind, tookMs });
  }

  async #preempt(before: RunningTask, task: TaskSpec): Promise<void> {
    before.abort.abort();
    using patience = withinClock(this.#clock, patienceMs(task, this.#clock.bootMs()));
    if (await outlasts(before.done, patience.signal)) {
      this.#log.warn(`${task.kind} goes ahead although ${before.task.kind} has not ended`);
    }
  }

  async #result(running: RunningTask, job: Job): Promise<JobResult> {
    try {
      return await job(contextOf(running));
    } catch (error) {
      this.#log.error(`Cannot finish ${running.task.kind}: ${String(error)}`, traced(error));
      return { kind: "failed", why: String(error) };
    }
  }
}

/** A stop preempts every other job; a gentle stop yields to a harsh one, an unhurried one to one with an end. */
export function preempts(task: TaskSpec, running: TaskSpec): boolean {
  if (task.kind !== "stop") return false;
  if (running.kind !== "stop") return true;
  if (running.how === "fast" && task.how === "immediate") return true;
  return running.escalation.killAtMs === null && task.escalation.killAtMs !== null;
}

/** Not longer than the moment at which this stop would turn harsher. */
function patienceMs(task: TaskSpec, nowMs: number): number {
  const harsherMs = task.kind === "stop" ? task.escalation.immediateAtMs : null;
  return Math.max(0, Math.min(LET_GO_MS, (harsherMs ?? Infinity) - nowMs));
}

function contextOf(running: RunningTask): JobContext {
  return {
    signal: running.abort.signal,
    report: (progress, bytes) => {
      running.progress = progress;
      running.bytes = bytes ?? null;
    },
    passPointOfNoReturn: () => {
      if (running.abort.signal.aborted) return false;
      running.cancellable = false;
      return true;
    },
  };
}
