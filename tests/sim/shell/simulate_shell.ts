import { setImmediate } from "node:timers";
import { productBrain } from "../brain.ts";
import type { Plan } from "../plan.ts";
import type { Result } from "../simulate.ts";
import { healingLoopMs, HOURS_MAX_MS, LOOPS_MAX } from "../simulate.ts";
import type { TraceSink } from "../trace.ts";
import { World } from "../world.ts";
import { Stir } from "./life.ts";
import { ShellNode } from "./shell_node.ts";

/** As `simulate`, with the product's whole agents over simulated ports. */
export async function simulateShell(plan: Plan, sink: TraceSink | null = null): Promise<Result> {
  const stir = new Stir();
  const world = new World(plan, productBrain, sink, (host, server, options) => {
    return new ShellNode(host, server, stir, options);
  });
  world.startAll();
  world.faults.start();
  await runUntil(world, stir, HOURS_MAX_MS, () => world.checks.ticks >= plan.ticks);
  const { ticks } = world.checks;
  if (world.checks.violation === null) await recover(world, stir);
  for (const node of world.nodes) node.kill();
  return {
    violation: world.checks.violation,
    ticks,
    rules: world.trace.rules,
    struck: world.faults.struck,
    seconds: world.scheduler.nowMs / 1000,
  };
}

/** One event of virtual time, then everything that waits for nothing but its turn. */
async function runUntil(
  world: World,
  stir: Stir,
  untilMs: number,
  enough: () => boolean = () => false,
): Promise<void> {
  while (world.checks.violation === null && !enough() && world.scheduler.step(untilMs)) {
    if (stir.take()) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function recover(world: World, stir: Stir): Promise<void> {
  world.log("all", "-- healed");
  world.faults.healAll();
  const loopMs = healingLoopMs(world);
  const endMs = world.scheduler.nowMs + LOOPS_MAX * loopMs;
  while (world.checks.recovered() !== null && world.scheduler.nowMs < endMs) {
    world.faults.startExited();
    await runUntil(world, stir, Math.min(endMs, world.scheduler.nowMs + loopMs));
    if (world.checks.violation !== null) return;
  }
  const missing = world.checks.recovered();
  if (missing !== null) world.checks.stuck(missing);
}
