import { spawn } from "node:child_process";
import type { Clock } from "../base/clock.ts";
import type { ProcessIdentity } from "./port.ts";
import { findProcess, sendSignal } from "./processes.ts";
import type { SwitchFiles } from "./switch_files.ts";
import { SWITCH_SCRIPT } from "./switch_script.ts";

const START_MS = 3000;
const POLL_MS = 10;

/** Where one switch works. */
export interface SwitchPlace {
  readonly folder: string;
  readonly dataDir: string;
  readonly files: SwitchFiles;
  readonly clock: Clock;
}

/** True while exactly this process runs and is not held by a STOP: one that is held guards nothing. */
export function isOnGuard(identity: ProcessIdentity): boolean {
  const found = findProcess(identity.pid);
  return found?.identity.startTicks === identity.startTicks && found.state !== "T";
}

/** The process that is on guard by its own word; null: there is none. */
export async function findSwitch(files: SwitchFiles): Promise<ProcessIdentity | null> {
  const owner = await files.owner();
  return owner !== null && isOnGuard(owner) ? owner : null;
}

/**
 * Starts a switch in a session of its own, so that neither the agent's end nor its terminal reaches it, and waits until
 * it says that it is in charge; one that was in charge before leaves. Null: it did not come up.
 */
export async function startSwitch(place: SwitchPlace): Promise<ProcessIdentity | null> {
  const { files, clock } = place;
  const before = await files.owner();
  const pid = await spawnSwitch(place);
  const untilMs = clock.bootMs() + START_MS;
  while (pid !== null && clock.bootMs() < untilMs) {
    const found = await findSwitch(files);
    if (found?.pid === pid) {
      if (before !== null) sendSignal(before, "SIGKILL"); // held by a STOP it could not leave
      return found;
    }
    await clock.sleep(POLL_MS);
  }
  return null;
}

function spawnSwitch({ folder, dataDir }: SwitchPlace): Promise<number | null> {
  const args = ["-c", 'eval "$3"', "agent-switch", folder, dataDir, SWITCH_SCRIPT];
  const child = spawn("/bin/sh", args, {
    cwd: "/",
    detached: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: "ignore",
  });
  return new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? null);
    });
  });
}
