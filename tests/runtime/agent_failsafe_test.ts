import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";
import type { ConsentAnswer, ConsentRequest } from "../../lib/runtime/peers.ts";
import { member } from "../core/builders.ts";
import { founded } from "./agent_world.ts";
import type { World } from "./agent_world.ts";

/** How b and c answer the leader "a". */
interface Answers {
  readonly refusing: Set<string>;
  /** What a round takes. */
  slowMs: number;
  rounds: number;
}

type Leading = World & Answers & { end(): Promise<void> };

/** ttl, loop_wait and retry_timeout of a cluster in failsafe mode. */
function settingsOf(ttlS: number, loopWaitS: number): Settings {
  const retryTimeoutS = Math.floor((ttlS - loopWaitS) / 2);
  return { ...defaultSettings, failsafeMode: true, ttlS, loopWaitS, retryTimeoutS };
}

/** A running leader that has written the list of a, b and c, and has just had a look. */
async function leading(settings = settingsOf(30, 10)): Promise<Leading> {
  const made = founded(undefined, settings);
  const { clock, dcs: { store }, agent, keeper } = made;
  const lease = store.grant(clock.bootMs(), 1e9);
  for (const name of ["b", "c"]) store.writeMember(member(name), lease);
  const leader = Object.assign(made, { refusing: new Set<string>(), slowMs: 20, rounds: 0 });
  leader.askConsents = (request) => answer(leader, request);
  const ending = new AbortController();
  const running = [agent.run(ending.signal), keeper.run(ending.signal)];
  await clock.advance(2 * settings.loopWaitS * 1000 + 500);
  deepStrictEqual(Object.keys(store.failsafe?.members ?? {}).sort(), ["a", "b", "c"]);
  const end = async (): Promise<void> => {
    ending.abort();
    await clock.advance(60_000);
    await Promise.all(running);
  };
  return Object.assign(leader, { end });
}

async function answer(
  leader: World & Answers,
  { members }: ConsentRequest,
): Promise<ConsentAnswer[]> {
  leader.rounds += 1;
  await leader.clock.sleep(leader.slowMs);
  return Object.keys(members).map((name) => {
    return leader.refusing.has(name)
      ? { kind: "refused", name, why: "500 no" }
      : { kind: "consented", name, lsn: null };
  });
}

function isStopped({ postgres }: World): boolean {
  return postgres.calls.includes("stop");
}

const TIMINGS = [[30, 10], [20, 10], [10, 4], [5, 1]] as const;

for (const [ttlS, loopWaitS] of TIMINGS) {
  for (const fault of ["cut", "hung"] as const) {
    Deno.test(`C1 C10 run() leads on for 3 ttl of ${ttlS} s without a store that is ${fault}, and heals`, async () => {
      const made = await leading(settingsOf(ttlS, loopWaitS));
      made.dcs.fault = fault;
      let gapsMs = 0;
      for (let passedMs = 0; passedMs < 3 * ttlS * 1000; passedMs += 500) {
        await made.clock.advance(500);
        const stopAtMs = made.keeper.stopAtMs() ?? 0;
        if (stopAtMs <= made.clock.bootMs()) gapsMs += 500;
      }
      strictEqual(gapsMs, 0);
      made.dcs.store.expire(made.clock.bootMs());
      made.dcs.fault = "none";
      await made.clock.advance(loopWaitS * 1000 + ttlS * 500); // a renewal that hangs ends first
      deepStrictEqual([made.dcs.store.lock?.value, isStopped(made)], ["a", false]);
      strictEqual(made.keeper.lease().kind === "held", true);
      await made.end();
    });
  }

  Deno.test(`C10 run() with a ttl of ${ttlS} s has time for a slow round when the store hangs`, async () => {
    const made = await leading(settingsOf(ttlS, loopWaitS));
    const consentS = ttlS >= 20 ? 4.4 : ttlS === 10 ? 2.4 : 1.2;
    made.slowMs = consentS * 1000 - 100;
    made.dcs.fault = "hung";
    await made.clock.advance(3 * ttlS * 1000);
    strictEqual(isStopped(made), false);
    await made.end();
  });
}

Deno.test("C2 run() stops the server at the stop time when a member does not consent", async () => {
  for (const fault of ["cut", "hung"] as const) {
    const made = await leading();
    made.refusing.add("c");
    const stopAtMs = made.keeper.stopAtMs() ?? 0;
    made.dcs.fault = fault;
    await made.clock.advance(stopAtMs - made.clock.bootMs() - 200);
    strictEqual(isStopped(made), false);
    ok(made.rounds > 1, `${made.rounds} rounds`);
    await made.clock.advance(700);
    strictEqual(isStopped(made), true);
    await made.end();
  }
});

Deno.test("C2 run() goes on when a member consents at the next question", async () => {
  const made = await leading();
  made.refusing.add("c");
  made.dcs.fault = "cut";
  await made.clock.advance(15_000);
  made.refusing.clear();
  await made.clock.advance(60_000);
  strictEqual(isStopped(made), false);
  await made.end();
});

Deno.test("run() asks nobody and stops in time when the mode is off", async () => {
  const made = await leading();
  made.dcs.fault = "cut";
  await made.clock.advance(40_000);
  made.dcs.store.expire(made.clock.bootMs());
  made.dcs.fault = "none";
  await made.clock.advance(11_000);
  strictEqual(made.dcs.store.lock?.value, "a");
  made.rounds = 0;
  Object.assign(made.dcs.store.read().settings, { failsafeMode: false });
  await made.clock.advance(11_000);
  strictEqual(made.dcs.store.failsafe, null);
  made.dcs.fault = "cut";
  await made.clock.advance(31_000);
  deepStrictEqual([isStopped(made), made.rounds], [true, 0]);
  await made.end();
});
