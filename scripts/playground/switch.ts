import { readOrNull, signalPid } from "./processes.ts";

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

/** Kills the switch and removes what it leaves: a playground ends as a whole. */
export async function endSwitchOf(dataDir: string): Promise<void> {
  const found = await switchOf(dataDir);
  if (found === null) return;
  signalPid(found.pid, "SIGKILL");
  await Deno.remove(found.folder, { recursive: true }).catch(() => undefined);
}
