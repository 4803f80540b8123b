import { readOrNull, signalPid } from "./processes.ts";
import { pause } from "./wait.ts";

/** The dead-man's switch of a data directory, by its command line. */
export interface RunningSwitch {
  readonly pid: number;
  /** Its state, outside the playground. */
  readonly folder: string;
}

/** The switch that guards `dataDir`, null while there is none. */
export async function switchOf(dataDir: string): Promise<RunningSwitch | null> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readOrNull(`/proc/${name}/cmdline`))?.split("\0") ?? [];
    const [, , , title, folder, guarded] = words;
    const isSwitch = title === "agent-switch" && guarded === dataDir && folder !== undefined;
    if (isSwitch) return { pid: Number(name), folder };
  }
  return null;
}

/** What a switch is told to do, on the boot clock. */
export interface SwitchOrders {
  /** When the stop of the server is due. */
  readonly stopMs: number;
  /** The end of the lease. */
  readonly endsMs: number;
}

/** The orders in the folder of a switch; null while it is at rest. They outlive the switch. */
export async function ordersIn(folder: string): Promise<SwitchOrders | null> {
  const [word, stop, , , ends] = (await readOrNull(`${folder}/state`) ?? "").split(" ");
  return word === "armed" ? { stopMs: Number(stop), endsMs: Number(ends) } : null;
}

/** Kills each `sleep` of the switch until told to stop; returns how many there were. */
export async function killSleeps(pid: number, isWanted: () => boolean): Promise<number> {
  let count = 0;
  while (isWanted()) {
    const text = await readOrNull(`/proc/${pid}/task/${pid}/children`) ?? "";
    for (const child of text.split(" ").map(Number).filter((one) => one > 0)) {
      signalPid(child, "SIGKILL");
      count++;
    }
    await pause(70);
  }
  return count;
}

/** Kills the switch and removes what it leaves: a playground ends as a whole. */
export async function endSwitchOf(dataDir: string): Promise<void> {
  const found = await switchOf(dataDir);
  if (found === null) return;
  signalPid(found.pid, "SIGKILL");
  await Deno.remove(found.folder, { recursive: true }).catch(() => undefined);
}
