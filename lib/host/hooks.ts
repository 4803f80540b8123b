import { cleanEnvironment } from "../base/child_environment.ts";
import type { RunningHook } from "./port.ts";
import type { ProcessIdentity } from "./port.ts";
import { findDescendants, findProcess, isAlive, sendSignal } from "./processes.ts";

const POLL_MS = 20;
const KILL_AFTER_MS = 1000;
/** What a shell answers for a program that it cannot start. */
const NOT_STARTED = 127;

/**
 * Starts a program in a session of its own, so that it outlives the agent; its output goes to the agent's. It never
 * throws: a program that cannot be started ends with 127.
 */
export function startHook(words: readonly string[]): RunningHook {
  const [program = "", ...args] = words;
  try {
    const child = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: cleanEnvironment(),
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
      detached: true,
    }).spawn();
    const identity = findProcess(child.pid)?.identity ?? null;
    const ended = child.status.then(({ code }) => code);
    return { ended, kill: () => killTree(identity) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ended: Promise.resolve(NOT_STARTED), kill: () => Promise.resolve() };
  }
}

/**
 * Ends a process with all that descends from it or shares its session; TERM first, so that a script may clean up, KILL
 * for what is left a second later.
 */
async function killTree(root: ProcessIdentity | null): Promise<void> {
  if (root === null) return;
  const family = findDescendants(root);
  for (const one of family) signalIfOurs(one, "SIGTERM");
  for (let waitedMs = 0; waitedMs < KILL_AFTER_MS; waitedMs += POLL_MS) {
    if (!family.some(isAlive)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  // What was started meanwhile is looked up again; what lost its parent is still in the first list.
  for (const one of [...family, ...findDescendants(root)]) signalIfOurs(one, "SIGKILL");
}

/** What runs as another user by sudo is left alone; its script and the next hook must not suffer for it. */
function signalIfOurs(one: ProcessIdentity, name: Deno.Signal): void {
  try {
    sendSignal(one, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}
