import type { Outcome } from "../core/action.ts";
import { counted } from "../core/histogram.ts";
import type { NodeView } from "../core/node_view.ts";
import { noWork } from "../core/work_counts.ts";
import type { StoreFault, WorkCounts } from "../core/work_counts.ts";

/** How one request to one endpoint of the store ended. */
export interface StoreCallEnd {
  readonly tookMs: number;
  readonly fault: StoreFault | null;
}

/** Counts what this process does, for `/metrics`. */
export class WorkTally {
  #work = noWork;

  /** What was counted up to now; `logLinesDropped` is the log's to say. */
  counts(logLinesDropped: number): WorkCounts {
    return { ...this.#work, logLinesDropped };
  }

  /** A tick of the loop has ended. */
  tick(tookMs: number): void {
    this.#work = { ...this.#work, ticks: counted(this.#work.ticks, tookMs / 1000) };
  }

  /** A call to an endpoint of the store has ended; `fault` is null when it ended well. */
  storeCall({ tookMs, fault }: StoreCallEnd): void {
    const { storeCalls, storeFaults } = this.#work;
    this.#work = { ...this.#work, storeCalls: counted(storeCalls, tookMs / 1000) };
    if (fault === null) return;
    const times = (storeFaults[fault] ?? 0) + 1;
    this.#work = { ...this.#work, storeFaults: { ...storeFaults, [fault]: times } };
  }

  /** A job on the server has ended. */
  task(task: string, result: string): void {
    const others = this.#work.tasks.filter((one) => one.task !== task || one.result !== result);
    const before = this.#work.tasks.find((one) => one.task === task && one.result === result);
    const times = (before?.times ?? 0) + 1;
    this.#work = { ...this.#work, tasks: [...others, { task, result, times }] };
  }

  /** A round of the loop: an order to promote counts by whether an operator's request was there to be seen. */
  round(view: NodeView, outcomes: readonly Outcome[]): void {
    const isPromoting = outcomes.some(({ action, result }) =>
      action.kind === "start-task" && action.task.kind === "promote" && result === "done"
    );
    if (!isPromoting) return;
    const isWished = view.cluster.kind === "seen" && view.cluster.handover !== null;
    const { failovers, switchovers } = this.#work;
    this.#work = isWished
      ? { ...this.#work, switchovers: switchovers + 1 }
      : { ...this.#work, failovers: failovers + 1 };
  }
}
