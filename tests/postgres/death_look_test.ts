import { strictEqual } from "node:assert/strict";
import { nextDeathLook } from "../../lib/postgres/death_look.ts";
import { settle, VirtualClock } from "../runtime/fakes.ts";

/** A session whose end a test decides on. */
class FakeSession {
  isOpen = true;
  readonly listeners = new Set<() => void>();

  onEnd(listener: () => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => void this.listeners.delete(listener) };
  }

  end(): void {
    this.isOpen = false;
    for (const listener of this.listeners) listener();
  }
}

interface Waiting {
  readonly clock: VirtualClock;
  readonly ending: AbortController;
  readonly isDue: () => boolean;
}

function wait(session: FakeSession | null): Waiting {
  const clock = new VirtualClock();
  const ending = new AbortController();
  let isDue = false;
  void nextDeathLook(clock, session, ending.signal).then(() => {
    isDue = true;
  });
  return { clock, ending, isDue: () => isDue };
}

/** Moves on by `ms`, less a millisecond and then with it: the look is due exactly then. */
async function isDueExactlyAfter({ clock, isDue }: Waiting, ms: number): Promise<void> {
  await clock.advance(ms - 1);
  await settle();
  strictEqual(isDue(), false, `before ${ms} ms`);
  await clock.advance(1);
  await settle();
  strictEqual(isDue(), true, `after ${ms} ms`);
}

Deno.test("nextDeathLook() looks five times a second where nothing would tell of a death", async () => {
  await isDueExactlyAfter(wait(null), 200);
  const ended = new FakeSession();
  ended.end();
  await isDueExactlyAfter(wait(ended), 200);
});

Deno.test("nextDeathLook() looks once a second beside a session that would tell", async () => {
  const session = new FakeSession();
  await isDueExactlyAfter(wait(session), 1000);
  strictEqual(session.listeners.size, 0);
});

Deno.test("nextDeathLook() looks right after the end of the session, when the postmaster has ended too", async () => {
  const session = new FakeSession();
  const waiting = wait(session);
  await waiting.clock.advance(300);
  session.end();
  await settle();
  await isDueExactlyAfter(waiting, 20);
  strictEqual(session.listeners.size, 0);
});

Deno.test("nextDeathLook() ends at once when its signal aborts", async () => {
  for (const session of [null, new FakeSession()]) {
    const { ending, isDue } = wait(session);
    await settle();
    ending.abort();
    await settle();
    strictEqual(isDue(), true);
    strictEqual(session?.listeners.size ?? 0, 0);
  }
  const ended = new FakeSession();
  const { ending, isDue } = wait(ended);
  await settle();
  ended.end();
  ending.abort();
  await settle();
  strictEqual(isDue(), true);
});

Deno.test("nextDeathLook() does not wait for a signal that has aborted before", async () => {
  let isDue = false;
  void nextDeathLook(new VirtualClock(), new FakeSession(), AbortSignal.abort()).then(() => {
    isDue = true;
  });
  await settle();
  strictEqual(isDue, true);
});
