import type { TaskSpec } from "../../lib/core/action.ts";
import type { TaskView } from "../../lib/core/node_view.ts";
import { preempts } from "../../lib/runtime/task_slot.ts";
import { Jobs } from "./jobs.ts";
import type { Node } from "./node.ts";
import type { Process, Steps } from "./schedule.ts";
import type { Verdict } from "./store.ts";
import type { World } from "./world.ts";

/** The one exclusive job of an agent. */
export class Tasks {
  readonly #node: Node;
  readonly #world: World;
  readonly #jobs: Jobs;
  #view: TaskView = { kind: "idle" };
  #process: Process | null = null;
  #cancelled = false;

  constructor(node: Node, world: World) {
    this.#node = node;
    this.#world = world;
    this.#jobs = new Jobs(node, world, {
      cancelled: () => this.#cancelled,
      passPointOfNoReturn: () => this.#passPointOfNoReturn(),
    });
  }

  /** The job as the tick sees it. */
  view(): TaskView {
    return this.#view;
  }

  /** Begins a job; only a stop may take the place of another one. */
  start(task: TaskSpec): Verdict {
    const before = this.#view;
    if (before.kind === "running" && !preempts(task, before.task)) {
      return { kind: "refused", why: `${before.task.kind} runs` };
    }
    if (before.kind === "running") this.#cutShort(before.task);
    this.#cancelled = false;
    const sinceMs = this.#node.bootMs();
    this.#view = {
      kind: "running",
      task,
      sinceMs,
      cancellable: task.kind !== "stop",
      progress: null,
    };
    this.#process = this.#world.scheduler.spawn(this.#run(task), this.#node.host);
    this.#world.faults.taskStarts(this.#node, task.kind);
    return { kind: "done" };
  }

  /** Asks the job to end; refused after its point of no return. */
  cancel(): Verdict {
    const { kind } = this.#view;
    if (this.#view.kind !== "running" || this.#process === null) {
      return { kind: "refused", why: `the task is ${kind}` };
    }
    if (!this.#view.cancellable) return { kind: "refused", why: "past the point of no return" };
    this.#cancelled = true;
    this.#world.scheduler.wake(this.#process);
    return { kind: "done" };
  }

  /** The agent is gone, and its job with it. */
  kill(): void {
    if (this.#process !== null) this.#process.alive = false;
  }

  #cutShort(task: TaskSpec): void {
    const { server } = this.#node;
    this.kill();
    const copied = task.kind === "clone" || task.kind === "bootstrap";
    if (copied && server.data === "half-made") server.data = "none";
  }

  *#run(task: TaskSpec): Steps<void> {
    yield 1;
    const mayWrite = task.kind === "promote" || task.kind === "start-primary";
    const { result, reason } = mayWrite && !this.#node.keeper.guard.mayWrite()
      ? { result: "failed" as const, reason: "the switch is not armed" }
      : yield* this.#jobs.steps(task);
    this.#view = { kind: "ended", task, result, reason, endedMs: this.#node.bootMs() };
    this.#node.wake();
  }

  #passPointOfNoReturn(): boolean {
    if (this.#cancelled) return false;
    if (this.#view.kind === "running") this.#view = { ...this.#view, cancellable: false };
    return true;
  }
}
