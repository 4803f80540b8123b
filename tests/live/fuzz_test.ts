import { deepEqual } from "node:assert/strict";
import { fuzz } from "../fuzz/fuzz.ts";
import { planOf } from "../fuzz/plan.ts";
import { tell } from "./live.ts";

const EVENTS = 50;
const SEED = 1;

Deno.test(`fuzz: ${EVENTS} interruptions of processes by seed ${SEED} break no promise`, async () => {
  const { violations, summary, report } = await fuzz(planOf(SEED, EVENTS));
  await tell(`seed ${SEED}: ${summary}`);
  if (violations.length > 0) await tell(report);
  deepEqual(violations, []);
});
