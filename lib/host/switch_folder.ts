import { createHash } from "node:crypto";
import { within } from "../base/deadline.ts";
import { realPathOf } from "../base/real_path.ts";

/** Folders that a reboot empties and that no data disk can block, in the order of trial. */
const ROOTS = ["/run", "/dev/shm"];
/** The switch lies outside the data disk, so that one that hangs does not hold it up. */
const RESOLVE_MS = 2000;

/**
 * The data directory by its one real path: a switch is named by that, so that each path to a directory finds the same one.
 * Throws an `Error` when the file system does not tell in time.
 */
export async function realDataDir(dataDir: string): Promise<string> {
  using deadline = within(RESOLVE_MS);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const { signal } = deadline;
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return await Promise.race([realPathOf(dataDir), late]);
}

/**
 * The folder of the switch of one data directory (its real path), made when there is none: below `/run` or `/dev/shm`, and
 * below `stateDir` where neither can be used. One that is there already comes first, so that a restarted agent finds its
 * switch. Only a real directory of this user that nobody else may enter is used. Throws an `Error` when none can be had.
 */
export async function switchFolder(
  realDir: string,
  stateDir: string,
  roots: readonly string[] = ROOTS,
): Promise<string> {
  const known = await knownSwitchFolder(realDir, stateDir, roots);
  if (known !== null) return known;
  const parents = parentsOf(stateDir, roots);
  for (const parent of parents) {
    const made = `${parent}/${leafOf(realDir)}`;
    if (await makePrivate(parent) && await makePrivate(made)) return made;
  }
  const tried = parents.join(", ");
  throw new Error(`Cannot keep the state of the dead-man's switch: no right to use ${tried}`);
}

/** The folder that is there already; null: no switch was ever started here since the host was. */
export async function knownSwitchFolder(
  realDir: string,
  stateDir: string,
  roots: readonly string[] = ROOTS,
): Promise<string | null> {
  const all = await allSwitchFolders(stateDir, roots);
  return all.find((folder) => folder.endsWith(`/${leafOf(realDir)}`)) ?? null;
}

/** The folders of all switches of this user. */
export async function allSwitchFolders(
  stateDir: string,
  roots: readonly string[] = ROOTS,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const parent of parentsOf(stateDir, roots)) {
    if (!await isPrivate(parent)) continue;
    for await (const { name } of Deno.readDir(parent)) {
      if (await isPrivate(`${parent}/${name}`)) found.push(`${parent}/${name}`);
    }
  }
  return found;
}

/** Where this user keeps the folders of its switches. */
function parentsOf(stateDir: string, roots: readonly string[]): readonly string[] {
  return [...roots.map((root) => `${root}/agent-${Deno.uid()}`), `${stateDir}/switch`];
}

/** How the folder of a switch is called. */
export function leafOf(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
}

async function makePrivate(folder: string): Promise<boolean> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error)) throw error; // it exists, or cannot be made: the next look tells
  }
  return await isPrivate(folder);
}

async function isPrivate(folder: string): Promise<boolean> {
  try {
    const { isDirectory, uid, mode } = await Deno.lstat(folder);
    return isDirectory && uid === Deno.uid() && mode !== null && (mode & 0o077) === 0;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
