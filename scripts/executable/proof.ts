import { openDoor, writeProbe } from "./probe.ts";
import { type Ended, isUsr1Blocked, residentMb, runFile, startFile } from "./run_file.ts";

const WARM_STARTS = 7;
/** By then the agent has loaded all its code and waits for the store. */
const SETTLE_MS = 3000;
const END_MS = 15_000;

/** The executable does not do what it is for. */
export class Misbehaviour extends Error {}

/**
 * Runs the executable as an administrator would and prints what it costs. Throws `Misbehaviour` where it does not
 * behave: then it must not be given to anybody.
 */
export async function proveProduct(
  file: string,
  print: (text: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "agent-proof-" });
  const env = { AGENT_RUNTIME_DIR: `${folder}/runtime` };
  try {
    const first = await proveCommands(file, folder, env);
    const warm = await medianMs(() => runFile(file, ["--version"], { env }));
    const rssMb = await proveMember(file, folder, env);
    await print(
      `proved: first start ${ms(first)}, warm start ${ms(warm)}, ${rssMb.toFixed(0)} MB resident\n`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Environment = Readonly<Record<string, string>>;

/** Milliseconds of the first start. */
async function proveCommands(file: string, folder: string, env: Environment): Promise<number> {
  const startedMs = performance.now();
  expect("--version", await runFile(file, ["--version"], { env }), 0, /^agent \d/);
  const tookMs = performance.now() - startedMs;
  expect("wrong usage", await runFile(file, ["--no-such"], { env }), 2, /--no-such/);
  const bad = `${folder}/bad.yml`;
  await Deno.writeTextFile(bad, "scope: [\n");
  expect("a faulty configuration", await runFile(file, [bad], { env }), 78, /bad\.yml/);
  return tookMs;
}

/**
 * A member that finds no store: resident memory in MB. It must end by TERM, USR1 must not reach it, and a proxy in the
 * environment must not come between it and the store.
 */
async function proveMember(file: string, folder: string, env: Environment): Promise<number> {
  await using store = openDoor();
  await using proxy = openDoor();
  const config = await writeProbe(folder, store.port);
  const proxied = { ...env, HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
  const { child, ended } = startFile(file, [config], { env: proxied });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const isBlocked = await isUsr1Blocked(child.pid).catch(() => true); // it has ended: its exit
  const rssMb = await residentMb(child.pid).catch(() => 0); //              code tells why
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  expect("a member told to end", await ended, 0, /starts probe[\s\S]*Asked to end/);
  clearTimeout(killer);
  if (!isBlocked) {
    throw new Misbehaviour("The executable does not behave: USR1 reaches its runtime");
  }
  if (proxy.visits > 0 || store.visits === 0) {
    throw new Misbehaviour(
      "The executable does not behave: it asks the proxy of HTTP_PROXY for the store",
    );
  }
  return rssMb;
}

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < WARM_STARTS; round++) {
    const startedMs = performance.now();
    await work();
    taken.push(performance.now() - startedMs);
  }
  return taken.sort((one, other) => one - other)[Math.floor(WARM_STARTS / 2)] ?? 0;
}

function expect(what: string, { code, output }: Ended, wanted: number, words: RegExp): void {
  if (code === wanted && words.test(output)) return;
  throw new Misbehaviour(
    `The executable does not behave at ${what}: expected exit code ${wanted} and ${words}, ` +
      `found ${code} and:\n${output}`,
  );
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
