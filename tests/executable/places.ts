import { agentProgram } from "../../scripts/playground/agent_program.ts";
import { type Ended, type Manner, runFile } from "../../scripts/executable/run_file.ts";

/** Mounts and other users need root. */
export const IS_ROOT = Deno.uid() === 0;

/** Words that make the program after them run as user postgres; none unless we are root. */
export const AS_POSTGRES: readonly string[] = IS_ROOT
  ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]
  : [];

/** A folder that is gone after the test, and an own copy of the executable in it. */
export interface Place {
  readonly folder: string;
  readonly file: string;
  /** Where this copy unpacks. */
  readonly runtime: string;
  /** Runs it with nothing but PATH and its folder in the environment. */
  run(args: readonly string[], manner?: Manner): Promise<Ended>;
  /** What lies in the folder of the runtime. */
  unpacked(): Promise<readonly string[]>;
}

/** A test with a place of its own, which belongs to user postgres when we are root. */
export function onPlace(title: string, body: (place: Place) => Promise<void>): void {
  Deno.test(title, () => withPlace(body));
}

/** The same with one runtime for the whole file: for tests of what comes after unpacking. */
export function onUnpackedPlace(title: string, body: (place: Place) => Promise<void>): void {
  Deno.test(title, () => withPlace(body, sharedRuntime()));
}

let shared: string | null = null;

function sharedRuntime(): string {
  if (shared !== null) return shared;
  const made = Deno.makeTempDirSync({ dir: "/tmp", prefix: "agent-unpacked-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  return shared = made;
}

/** The same for what only root can make; skipped by name without root. */
export function onRootPlace(title: string, body: (place: Place) => Promise<void>): void {
  Deno.test({ name: title, ignore: !IS_ROOT, fn: () => withPlace(body) });
}

async function withPlace(
  body: (place: Place) => Promise<void>,
  given: string | null = null,
): Promise<void> {
  // Not below a folder of the test's user: root would not trust it.
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "agent-place-" });
  const file = `${folder}/agent`;
  const runtime = given ?? `${folder}/runtime`;
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.copyFile(agentProgram(), file);
    await Deno.mkdir(runtime, { recursive: true, mode: 0o700 });
    if (IS_ROOT) await sh(`chown postgres:postgres '${runtime}'`);
    await body({
      folder,
      file,
      runtime,
      run: (args, manner = {}) =>
        runFile(file, args, {
          launch: AS_POSTGRES,
          ...manner,
          env: { AGENT_RUNTIME_DIR: runtime, ...manner.env },
        }),
      unpacked: async () =>
        (await Array.fromAsync(Deno.readDir(runtime), ({ name }) => name)).sort(),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs shell text that must succeed. */
export async function sh(text: string): Promise<void> {
  const { code, output } = await runFile("sh", ["-ec", text]);
  if (code !== 0) throw new Error(`Cannot run ${text}: ${output}`);
}

/** Launch words: the program after them sees these mounts and nobody else does. */
export function mounted(text: string, then: readonly string[]): readonly string[] {
  return ["unshare", "--mount", "--", "sh", "-ec", `${text}\nexec "$@"`, "sh", ...then];
}
