import type { SwitchDeadline } from "../core/switch_status.ts";
import type { ProcessIdentity } from "./port.ts";
import { commandWords, isAlive, sendSignal } from "./processes.ts";
import { SwitchFiles } from "./switch_files.ts";
import { allSwitchFolders, leafOf, realDataDir } from "./switch_folder.ts";

/** Whose strays are looked for. */
export interface StraySearch {
  readonly dataDir: string;
  readonly realDir: string;
  readonly stateDir: string;
  readonly roots?: readonly string[];
  /** The folder of the right name. */
  readonly ownFolder: string | null;
}

/**
 * Switches of the same directory under other names: an agent before us had another path to it, or one of its links has
 * changed since. Their deadlines know nothing of our renewals, so each of them would fence our server.
 */
export async function findStrays(search: StraySearch): Promise<readonly SwitchFiles[]> {
  const { dataDir, realDir, stateDir, roots, ownFolder } = search;
  const found: SwitchFiles[] = [];
  for (const folder of await allSwitchFolders(stateDir, roots)) {
    if (folder === ownFolder) continue;
    const files = new SwitchFiles(folder);
    const isNamedSo = folder.endsWith(`/${leafOf(dataDir)}`) && await isInForce(files);
    if (isNamedSo || await isFor(realDir, files)) found.push(files);
  }
  return found;
}

async function isInForce(files: SwitchFiles): Promise<boolean> {
  return await files.deadline() !== null || await files.isResting() ||
    await livingOwner(files) !== null;
}

async function livingOwner(files: SwitchFiles): Promise<ProcessIdentity | null> {
  const owner = await files.owner();
  return owner !== null && isAlive(owner) ? owner : null;
}

/** The process in charge tells the directory by its own words; only the one that the private folder names is believed. */
async function isFor(realDir: string, files: SwitchFiles): Promise<boolean> {
  const owner = await livingOwner(files);
  if (owner === null) return false;
  const [, , , title, , guarded = ""] = commandWords(owner.pid);
  if (title !== "agent-switch" || !guarded.startsWith("/")) return false;
  try {
    return await realDataDir(guarded) === realDir;
  } catch (error) {
    if (error instanceof Error) return false; // nobody can reach that directory by this path now
    throw error;
  }
}

/** The deadline that ends last: each stands for a lease that somebody held, so none before it counts any more. */
export async function lastDeadline(
  switches: readonly SwitchFiles[],
): Promise<SwitchDeadline | null> {
  let last: SwitchDeadline | null = null;
  for (const files of switches) {
    const deadline = await files.deadline();
    if (deadline !== null && (last === null || deadline.endsMs > last.endsMs)) last = deadline;
  }
  return last;
}

/** Ends a switch for good. Its folder stays, so that an agent of old that still lives does not lose it unheard. */
export async function retire(files: SwitchFiles): Promise<void> {
  await files.order("disarmed");
  const owner = await files.owner();
  if (owner !== null) sendSignal(owner, "SIGKILL");
}
