import { ok, strictEqual } from "node:assert/strict";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { switchDeadline } from "../../lib/core/switch_status.ts";
import { primary } from "../core/builders.ts";
import { founded, signal } from "./agent_world.ts";
import type { World } from "./agent_world.ts";
import { settle } from "./fakes.ts";

const STEP_MS = 5;

/** A leader that renews no more from now on, and the moments at which agent and switch stop its server. */
async function stops(
  ttlS: number,
  fail: (made: World, stopAtMs: number) => void,
): Promise<{ readonly agentMs: number; readonly dueMs: number; readonly switchMs: number }> {
  const settings = { ...defaultSettings, ttlS, loopWaitS: Math.min(10, ttlS / 3) };
  const made = founded(undefined, settings);
  const { agent, clock, keeper, postgres } = made;
  const ending = new AbortController();
  const running = agent.run(AbortSignal.any([signal, ending.signal]));
  await clock.advance(3000);
  strictEqual(postgres.view.kind, "primary");
  const lease = keeper.lease();
  if (lease.kind !== "held") throw new Error(`Cannot lead: ${lease.kind}`);
  const { stopAtMs: switchMs } = switchDeadline(
    lease.endsMs,
    leaseTiming(ttlS, settings.loopWaitS),
  );
  const dueMs = keeper.stopAtMs() ?? 0;
  fail(made, dueMs);
  await clock.advance(dueMs - clock.bootMs() - 50);
  strictEqual(postgres.calls.includes("stop"), false);
  while (!postgres.calls.includes("stop") && clock.bootMs() < lease.endsMs) {
    await clock.advance(STEP_MS);
  }
  const agentMs = clock.bootMs();
  ending.abort();
  await clock.advance(60_000);
  await settle();
  await running;
  return { agentMs, dueMs, switchMs };
}

const FAULTS: Readonly<Record<string, (made: World, stopAtMs: number) => void>> = {
  "is refused": ({ dcs }) => void (dcs.fault = "cut"),
  "hangs": ({ dcs }) => void (dcs.fault = "hung"),
  "hangs in an adapter that heeds no deadline": ({ dcs }) => void (dcs.fault = "stuck"),
  "hangs, and so does the look at the server": ({ dcs, postgres }) => {
    dcs.fault = "stuck";
    postgres.hangs = true;
  },
  "is given up right before the stop": ({ dcs }, stopAtMs) => {
    dcs.fault = "hung";
    dcs.givesUpMs = stopAtMs - STEP_MS;
  },
  "is given up shortly before the stop": ({ dcs }, stopAtMs) => {
    dcs.fault = "hung";
    dcs.givesUpMs = stopAtMs - 90;
  },
};

Deno.test("tick() stops a primary whose store was lost between the start and the first tick", async () => {
  const { agent, dcs, postgres, clock } = founded(primary());
  agent.know(await dcs.read(signal));
  dcs.fault = "cut";
  const ticking = agent.tick(signal);
  await clock.advance(20_000);
  strictEqual((await ticking).rule, "dcs-lost");
  ok(postgres.calls.includes("stop"), postgres.calls.join());
});

for (const ttlS of [5, 10, 20, 30]) {
  for (const [what, fail] of Object.entries(FAULTS)) {
    Deno.test(`run() stops before the switch acts, with a ttl of ${ttlS} s, when the store ${what}`, async () => {
      const { agentMs, dueMs, switchMs } = await stops(ttlS, fail);
      ok(agentMs >= dueMs, `${dueMs - agentMs} ms early`);
      ok(agentMs < switchMs, `${agentMs - switchMs} ms after the switch`);
    });
  }
}
