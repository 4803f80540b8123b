import { productBrain } from "../tests/sim/brain.ts";
import type { Catch } from "../tests/sim/catch.ts";
import { ALL_MUTATIONS, ALL_SHELL_MUTATIONS, catchOf, shellCatchOf } from "../tests/sim/catch.ts";
import type { Failure } from "../tests/sim/shrink.ts";
import { replayCommand, shrink } from "../tests/sim/shrink.ts";
import type { TraceSink } from "../tests/sim/trace.ts";
import type { PoolOptions } from "./sim_pool.ts";
import { runInWorkers } from "./sim_pool.ts";
import type { SeedResult } from "./sim_seed.ts";
import { planFor, runSeed } from "./sim_seed.ts";

interface Options extends PoolOptions {
  readonly trace: boolean;
  /** Lists the planted bugs instead. */
  readonly planted: boolean;
}

const USAGE = "usage: deno task sim [--level 1|2] [--seeds N] [--ticks M] [--seed FIRST] " +
  "[--without KIND,KIND] [--every SECONDS] [--workers N] [--trace] | --planted; without --seed: 200 new ones";
const FLAGS = ["--trace", "--planted"];
const NAMES = ["--seeds", "--ticks", "--seed", "--without", "--every", "--level", "--workers"];
const WORKERS_MAX = 2;
const FAILURES_MAX = 12;
const PROGRESS_EVERY = 25;

function readOptions(args: readonly string[]): Options | null {
  const values = new Map<string, string>();
  for (let place = 0; place < args.length; place++) {
    const name = args[place] ?? "";
    if (FLAGS.includes(name)) values.set(name, "");
    else values.set(name, args[++place] ?? "");
  }
  if ([...values.keys()].some((name) => !FLAGS.includes(name) && !NAMES.includes(name))) {
    return null;
  }
  const seed = values.get("--seed");
  return {
    seeds: Number(values.get("--seeds") ?? (seed === undefined ? 200 : 1)),
    ticks: Number(values.get("--ticks") ?? 2000),
    first: Number(seed ?? crypto.getRandomValues(new Uint32Array(1))[0]),
    trace: values.has("--trace"),
    planted: values.has("--planted"),
    workers: Number(
      values.get("--workers") ?? Math.min(WORKERS_MAX, navigator.hardwareConcurrency),
    ),
    level: Number(values.get("--level") ?? 1),
    everyMs: values.has("--every") ? Number(values.get("--every")) * 1000 : null,
    without: (values.get("--without") ?? "").split(",").filter((kind) => kind !== ""),
  };
}

const print: TraceSink = ({ seconds, who, text }) => {
  say(`${seconds.toFixed(3).padStart(10)}s ${who.padEnd(4)} ${text}`);
};

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function* resultsOf(options: Options): AsyncGenerator<SeedResult> {
  if (!options.trace && options.seeds > 1 && options.workers > 1) {
    return yield* runInWorkers(options);
  }
  const sink = options.trace ? print : null;
  for (let seed = options.first; seed < options.first + options.seeds; seed++) {
    yield await runSeed(seed, options, sink);
  }
}

async function runAll(options: Options): Promise<Failure[]> {
  const failures: Failure[] = [];
  const startedMs = performance.now();
  let done = 0;
  let ticks = 0;
  let seconds = 0;
  for await (const result of resultsOf(options)) {
    done++;
    ticks += result.ticks;
    seconds += result.seconds;
    if (result.violation !== null) {
      const plan = planFor(result.seed, options);
      failures.push({ plan, violation: result.violation, ticks: result.ticks });
      say(`seed ${result.seed}: ${result.violation.kind} after ${result.ticks} ticks`);
    }
    if (done % PROGRESS_EVERY === 0 || done === options.seeds || failures.length === FAILURES_MAX) {
      const took = ((performance.now() - startedMs) / 1000).toFixed(1);
      const hours = (seconds / 3600).toFixed(0);
      say(`${done} seeds, ${ticks} ticks, ${hours} cluster-hours in ${took} s`);
    }
    if (failures.length === FAILURES_MAX) break;
  }
  return failures;
}

/** Every planted bug with the seed that tells it; false when one is not told. */
async function listPlanted(): Promise<boolean> {
  let missed = 0;
  const tell = (name: string, caught: Catch | null): void => {
    if (caught === null) missed++;
    const { seed, kind } = { seed: caught?.seed ?? "none", kind: caught?.violation.kind ?? "" };
    say(`seed ${String(seed).padEnd(5)} ${kind.padEnd(24)} ${name}`);
  };
  for (const mutation of ALL_MUTATIONS) tell(mutation.name, catchOf(mutation));
  for (const mutation of ALL_SHELL_MUTATIONS) tell(mutation.name, await shellCatchOf(mutation));
  const all = ALL_MUTATIONS.length + ALL_SHELL_MUTATIONS.length;
  say(`${all - missed} of ${all} planted bugs are caught`);
  return missed === 0;
}

function report(failures: readonly Failure[], options: Options): void {
  const [shortest] = [...failures].sort((one, other) => one.ticks - other.ticks);
  if (shortest === undefined) return;
  const least = options.level === 2 ? shortest : shrink(shortest, productBrain);
  const { kind, node, seconds, what } = least.violation;
  say(`shortest: seed ${least.plan.seed}, ${least.ticks} ticks, ${seconds.toFixed(1)} s`);
  say(`${kind} at ${node}: ${what}`);
  say(`replay: ${replayCommand(least, options.ticks, options)}`);
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null || !(options.seeds > 0) || !(options.ticks > 0)) {
    say(USAGE);
    return 2;
  }
  if (options.planted) return await listPlanted() ? 0 : 1;
  if (options.seeds > 1) say(`seeds ${options.first} to ${options.first + options.seeds - 1}`);
  const failures = await runAll(options);
  report(failures, options);
  return failures.length === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
