import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { LiveMailbox } from "../../lib/runtime/live_mailbox.ts";
import { VirtualClock } from "./fakes.ts";

const signal = new AbortController().signal;

Deno.test("pause() ends at once for a wake-up that came before it, and only once", async () => {
  const clock = new VirtualClock();
  const mailbox = new LiveMailbox(clock);
  mailbox.wake("first");
  mailbox.wake("second");
  strictEqual(await mailbox.pause(10_000, signal), "first");
  const pause = mailbox.pause(10_000, signal);
  await clock.advance(10_000);
  strictEqual(await pause, null);
});

Deno.test("pause() ends when it is woken", async () => {
  const mailbox = new LiveMailbox(new VirtualClock());
  const pause = mailbox.pause(10_000, signal);
  mailbox.wake("now");
  strictEqual(await pause, "now");
});

Deno.test("post() replaces an older wish of its kind and wakes", async () => {
  const mailbox = new LiveMailbox(new VirtualClock());
  const newer = { kind: "reload", localConfig: { a: 1 } } as const;
  mailbox.post({ kind: "reload", localConfig: null });
  mailbox.post(newer);
  mailbox.post({ kind: "shutdown" });
  deepStrictEqual(mailbox.wishes(), [newer, { kind: "shutdown" }]);
  strictEqual(await mailbox.pause(10_000, signal), "reload was asked for");
});

Deno.test("fulfil() leaves a wish that came meanwhile", () => {
  const mailbox = new LiveMailbox(new VirtualClock());
  const older = { kind: "reload", localConfig: null } as const;
  mailbox.post(older);
  mailbox.post({ kind: "reload", localConfig: {} });
  mailbox.fulfil(older);
  strictEqual(mailbox.wishes().length, 1);
});

Deno.test("withdraw() takes out the wish of that operation only", () => {
  const mailbox = new LiveMailbox(new VirtualClock());
  const order = { kind: "reinitialize", id: "o1", force: false, fromLeader: false } as const;
  mailbox.post(order);
  mailbox.withdraw("o2");
  deepStrictEqual(mailbox.wishes(), [order]);
  mailbox.withdraw("o1");
  deepStrictEqual(mailbox.wishes(), []);
});
