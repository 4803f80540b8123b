import { equal } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { switchDeadline } from "../../lib/core/switch_status.ts";
import { ShellSwitch } from "../../lib/host/dead_man_switch.ts";
import { findProcess, findServerProcesses } from "../../lib/host/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** A second for each step, so that a test takes no longer than it must. */
export const TIMING = {
  ttlMs: 5000,
  renewEveryMs: 1000,
  renewalMs: 1000,
  endpointMs: 500,
  consentMs: 1000,
  stopBeforeMs: 900,
  immediateBeforeMs: 600,
  killBeforeMs: 300,
};

/** A data directory with stubs of a server in it: copies of programs of the system named `postgres`. */
export class World implements AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly #children: Deno.ChildProcess[] = [];
  readonly switches: ShellSwitch[] = [];

  constructor(folder: string) {
    this.folder = folder;
    this.dataDir = `${folder}/data`;
  }

  static async make(): Promise<World> {
    const world = new World(await Deno.makeTempDir({ prefix: "switch-" }));
    await Deno.mkdir(world.dataDir);
    await Deno.mkdir(`${world.folder}/run`);
    await Deno.copyFile("/bin/sh", `${world.folder}/postgres`);
    return world;
  }

  get switch(): ShellSwitch {
    return this.switches[0] ?? this.another();
  }

  /** One more view of the same switch, as a restarted agent has it. */
  another(dataDir = this.dataDir): ShellSwitch {
    const made = new ShellSwitch({
      dataDir,
      stateDir: this.folder,
      clock: systemClock,
      log: silentLog,
      roots: [`${this.folder}/run`],
    });
    this.switches.push(made);
    return made;
  }

  /** Armed for a lease that ends so many milliseconds from now. */
  async arm(leftMs: number): Promise<number> {
    const endsMs = systemClock.bootMs() + leftMs;
    equal(await this.switch.arm(switchDeadline(endsMs, TIMING)), true);
    return endsMs;
  }

  /** A "postmaster" that runs this script, with "backends" in sessions of their own. */
  postmaster(script: string, cwd = this.dataDir): Deno.ChildProcess {
    const child = new Deno.Command(`${this.folder}/postgres`, {
      args: ["-c", script],
      cwd,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    this.#children.push(child);
    return child;
  }

  /** What of the server still works in the directory. */
  left(): readonly number[] {
    return findServerProcesses(this.dataDir, "postgres").map(({ identity }) => identity.pid);
  }

  async fenced(withinMs: number): Promise<void> {
    await waitFor("the end of the server", withinMs, () => {
      const left = this.left();
      return Promise.resolve({ met: left.length === 0 ? true : null, seen: left.join() });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.switches.at(-1) ?? this.switch;
    const { pid } = last.status();
    await last.disarm();
    await last.close();
    for (const child of this.#children) {
      kill(child.pid, "SIGKILL");
      await child.status;
    }
    await waitFor("the end of the switch", 3000, () => {
      const found = pid === null ? null : findProcess(pid);
      return Promise.resolve({ met: found === null ? true : null, seen: `pid ${pid}` });
    });
    for (const left of this.left()) kill(left, "SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Sends a signal; a process that is gone is no error. */
export function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Pid of the switch, 0 while there is none. */
export function switchPid(world: World): number {
  return world.switch.status().pid ?? 0;
}

/** Waits for a condition. */
export async function until(what: string, look: () => boolean, withinMs = 3000): Promise<void> {
  await waitFor(what, withinMs, () => Promise.resolve({ met: look() ? true : null, seen: "not" }));
}

/** Ends on INT as a postmaster does on a fast stop. */
export const OBEDIENT = 'trap "exit 0" INT; while :; do sleep 0.05; done';
/** Ignores everything that can be ignored, and has three backends. */
export const STUBBORN = `
trap "" INT QUIT TERM
for i in 1 2 3; do setsid ./../postgres -c 'trap "" INT QUIT TERM; while :; do sleep 0.1; done' & done
while :; do sleep 0.1; done`;
