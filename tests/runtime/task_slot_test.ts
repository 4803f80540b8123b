import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import type { TaskSpec } from "../../lib/core/action.ts";
import type { JobContext, JobResult } from "../../lib/postgres/port.ts";
import type { Job } from "../../lib/runtime/task_slot.ts";
import { TaskSlot } from "../../lib/runtime/task_slot.ts";
import { settle, VirtualClock } from "./fakes.ts";

const follow: TaskSpec = { kind: "follow", upstream: null };

function stopTask(overrides: Partial<TaskSpec & { kind: "stop" }> = {}): TaskSpec {
  const escalation = { immediateAtMs: null, killAtMs: null };
  const why = "a test";
  return { kind: "stop", how: "fast", checkpointFirst: false, escalation, why, ...overrides };
}

function slotWith(): { slot: TaskSlot; clock: VirtualClock; ended: string[] } {
  const clock = new VirtualClock();
  const ended: string[] = [];
  const onEnd = (task: TaskSpec): void => void ended.push(task.kind);
  return { slot: new TaskSlot({ clock, log: silentLog, onEnd }), clock, ended };
}

/** A job that ends when its test says so, or by a cancel that it obeys. */
function openJob(): { job: Job; context: () => JobContext; end: (result: JobResult) => void } {
  const { promise, resolve } = Promise.withResolvers<JobResult>();
  const contexts: JobContext[] = [];
  const job: Job = (context) => {
    contexts.push(context);
    context.signal.addEventListener("abort", () => resolve({ kind: "cancelled" }));
    return promise;
  };
  const context = (): JobContext => {
    const [first] = contexts;
    if (first === undefined) throw new TypeError("The job has not begun");
    return first;
  };
  return { job, context, end: resolve };
}

Deno.test("start() shows the job with its progress until it has ended, then its end", async () => {
  const { slot, ended } = slotWith();
  const { job, context, end } = openJob();
  strictEqual(slot.start(follow, job).kind, "done");
  context().report("half");
  const view = slot.view();
  deepStrictEqual([view.kind, view.kind === "running" && view.progress], ["running", "half"]);
  const bytes = { done: 1, total: 2 };
  context().report("half", bytes);
  const again = slot.view();
  deepStrictEqual(again.kind === "running" && again.bytes, bytes);
  end({ kind: "failed", why: "no" });
  await settle();
  strictEqual(slot.view().kind === "ended" && slot.view().kind, "ended");
  deepStrictEqual(ended, ["follow"]);
});

Deno.test("start() refuses a second job", () => {
  const { slot } = slotWith();
  slot.start(follow, openJob().job);
  strictEqual(slot.start({ kind: "start-replica", upstream: null }, openJob().job).kind, "refused");
});

Deno.test("start() of a stop cancels the running job and waits for its end", async () => {
  const { slot } = slotWith();
  slot.start(follow, openJob().job);
  const stop = openJob();
  strictEqual(slot.start(stopTask(), stop.job).kind, "done");
  await settle();
  const view = slot.view();
  strictEqual(view.kind === "running" && view.task.kind, "stop");
  stop.end({ kind: "done" });
  await settle();
  const ended = slot.view();
  strictEqual(ended.kind === "ended" && ended.task.kind, "stop");
});

Deno.test("start() of a stop does not wait past the moment at which it turns harsher", async () => {
  const { slot, clock } = slotWith();
  const deaf = Promise.withResolvers<JobResult>();
  slot.start(follow, () => deaf.promise);
  let begun = false;
  const escalation = { immediateAtMs: clock.bootMs() + 1000, killAtMs: null };
  slot.start(stopTask({ escalation }), () => {
    begun = true;
    return Promise.resolve({ kind: "done" });
  });
  await clock.advance(900);
  strictEqual(begun, false);
  await clock.advance(200);
  strictEqual(begun, true);
  deaf.resolve({ kind: "done" });
  await settle();
  const view = slot.view();
  strictEqual(view.kind === "ended" && view.task.kind, "stop");
});

Deno.test("A24 start() lets a stop that must be in time preempt an unhurried one, once", () => {
  const { slot, clock } = slotWith();
  const escalation = { immediateAtMs: clock.bootMs() + 3000, killAtMs: clock.bootMs() + 4000 };
  slot.start(stopTask(), openJob().job);
  strictEqual(slot.start(stopTask({ escalation }), openJob().job).kind, "done");
  strictEqual(slot.start(stopTask({ escalation }), openJob().job).kind, "refused");
});

Deno.test("start() lets an immediate stop preempt a fast one, and nothing else", () => {
  const { slot } = slotWith();
  slot.start(stopTask(), openJob().job);
  strictEqual(slot.start(stopTask(), openJob().job).kind, "refused");
  strictEqual(slot.start(stopTask({ how: "immediate" }), openJob().job).kind, "done");
});

Deno.test("cancel() is refused after the point of no return", async () => {
  const { slot } = slotWith();
  const { job, context } = openJob();
  slot.start(follow, job);
  strictEqual(context().passPointOfNoReturn(), true);
  strictEqual(slot.cancel().kind, "refused");
  await settle();
});

Deno.test("cancel() before the point of no return bars it", async () => {
  const { slot } = slotWith();
  const { job, context } = openJob();
  slot.start(follow, job);
  strictEqual(slot.cancel().kind, "done");
  strictEqual(context().passPointOfNoReturn(), false);
  await settle();
  const view = slot.view();
  strictEqual(view.kind === "ended" && view.result, "cancelled");
});

Deno.test("start() turns a job that throws into a failed one", async () => {
  const { slot } = slotWith();
  slot.start(follow, () => Promise.reject(new TypeError("broken")));
  await settle();
  const view = slot.view();
  strictEqual(view.kind === "ended" && view.result, "failed");
});
