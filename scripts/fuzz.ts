import { fuzz } from "../tests/fuzz/fuzz.ts";
import { planOf } from "../tests/fuzz/plan.ts";
import { print } from "./playground/print.ts";

interface Options {
  readonly seed: number;
  readonly seeds: number;
  readonly events: number;
}

const USAGE = "usage: deno task fuzz [--seed FIRST] [--seeds N] [--events N]";

/** The options, or null when something is wrong with them. */
function readOptions(args: readonly string[]): Options | null {
  const known = { "--seed": 1, "--seeds": 1, "--events": 50 };
  const values = new Map<string, number>(Object.entries(known));
  for (let place = 0; place < args.length; place += 2) {
    const [name = "", value = ""] = args.slice(place);
    if (!values.has(name) || !/^[1-9]\d*$/.test(value)) return null;
    values.set(name, Number(value));
  }
  const of = (name: keyof typeof known): number => values.get(name) ?? known[name];
  return { seed: of("--seed"), seeds: of("--seeds"), events: of("--events") };
}

/** One seed; true when no promise was broken. */
async function runSeed(seed: number, events: number): Promise<boolean> {
  const { violations, summary, report } = await fuzz(planOf(seed, events));
  await print(`seed ${seed}: ${summary}`);
  if (violations.length === 0) return true;
  for (const { kind, what } of violations.slice(0, 20)) await print(`  ${kind}: ${what}`);
  await print(report);
  await print(`replay: deno task fuzz --seed ${seed} --events ${events}`);
  return false;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    await print(USAGE);
    return 2;
  }
  const { seed, seeds, events } = options;
  let broken = 0;
  for (let current = seed; current < seed + seeds; current++) {
    if (!await runSeed(current, events)) broken++;
  }
  await print(`${seeds} seeds, ${broken} with a broken promise`);
  return broken === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
