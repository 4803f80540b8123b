import { productBrain } from "../tests/sim/brain.ts";
import { simulateShell } from "../tests/sim/shell/simulate_shell.ts";
import type { Plan } from "../tests/sim/plan.ts";
import { planOf, shellPlanOf } from "../tests/sim/plan.ts";
import type { Failure } from "../tests/sim/shrink.ts";
import { replayCommand, shrink } from "../tests/sim/shrink.ts";
import type { Result } from "../tests/sim/simulate.ts";
import { simulate } from "../tests/sim/simulate.ts";
import type { TraceSink } from "../tests/sim/trace.ts";

interface Options {
  readonly seeds: number;
  readonly ticks: number;
  readonly first: number;
  readonly trace: boolean;
  /** 1: the rules alone in a world of their own; 2: whole agents over simulated ports. */
  readonly level: number;
  readonly without: readonly string[];
}

const USAGE = "usage: deno task sim [--level 1|2] [--seeds N] [--ticks M] [--seed FIRST] " +
  "[--without KIND,KIND] [--trace]";
const FAILURES_MAX = 12;
const PROGRESS_EVERY = 25;

function readOptions(args: readonly string[]): Options | null {
  const values = new Map<string, string>();
  for (let place = 0; place < args.length; place++) {
    const name = args[place] ?? "";
    if (name === "--trace") values.set(name, "");
    else values.set(name, args[++place] ?? "");
  }
  const known = ["--seeds", "--ticks", "--seed", "--without", "--trace", "--level"];
  if ([...values.keys()].some((name) => !known.includes(name))) return null;
  const seed = values.get("--seed");
  return {
    seeds: Number(values.get("--seeds") ?? (seed === undefined ? 200 : 1)),
    ticks: Number(values.get("--ticks") ?? 2000),
    first: Number(seed ?? 1),
    trace: values.has("--trace"),
    level: Number(values.get("--level") ?? 1),
    without: (values.get("--without") ?? "").split(",").filter((kind) => kind !== ""),
  };
}

const print: TraceSink = ({ seconds, who, text }) => {
  say(`${seconds.toFixed(3).padStart(10)}s ${who.padEnd(4)} ${text}`);
};

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function planFor(seed: number, { level, ticks, without }: Options): Plan {
  return level === 2 ? shellPlanOf(seed, ticks, without) : planOf(seed, ticks, without);
}

async function runOne(plan: Plan, { level, trace }: Options): Promise<Result> {
  const sink = trace ? print : null;
  return level === 2 ? await simulateShell(plan, sink) : simulate(plan, productBrain, sink);
}

async function runAll(options: Options): Promise<Failure[]> {
  const failures: Failure[] = [];
  const startedMs = performance.now();
  let ticks = 0;
  let seconds = 0;
  for (let seed = options.first; seed < options.first + options.seeds; seed++) {
    const plan = planFor(seed, options);
    const result = await runOne(plan, options);
    ticks += result.ticks;
    seconds += result.seconds;
    if (result.violation !== null) {
      failures.push({ plan, violation: result.violation, ticks: result.ticks });
      say(`seed ${seed}: ${result.violation.kind} after ${result.ticks} ticks`);
    }
    const done = seed - options.first + 1;
    if (done % PROGRESS_EVERY === 0 || done === options.seeds || failures.length === FAILURES_MAX) {
      const took = ((performance.now() - startedMs) / 1000).toFixed(1);
      const hours = (seconds / 3600).toFixed(0);
      say(`${done} seeds, ${ticks} ticks, ${hours} cluster-hours in ${took} s`);
    }
    if (failures.length === FAILURES_MAX) break;
  }
  return failures;
}

function report(failures: readonly Failure[], options: Options): void {
  const [shortest] = [...failures].sort((one, other) => one.ticks - other.ticks);
  if (shortest === undefined) return;
  const least = options.level === 2 ? shortest : shrink(shortest, productBrain);
  const { kind, node, seconds, what } = least.violation;
  say(`shortest: seed ${least.plan.seed}, ${least.ticks} ticks, ${seconds.toFixed(1)} s`);
  say(`${kind} at ${node}: ${what}`);
  say(`replay: ${replayCommand(least, options.ticks, options.level)}`);
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null || !(options.seeds > 0) || !(options.ticks > 0)) {
    say(USAGE);
    return 2;
  }
  const failures = await runAll(options);
  report(failures, options);
  return failures.length === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
