import { createHash } from "node:crypto";

/** Folders that a reboot empties and that no data disk can block, in the order of trial. */
const ROOTS = ["/run", "/dev/shm"];

/**
 * The folder of the switch of one data directory, made when there is none: below `/run` or `/dev/shm`, and below
 * `stateDir` where neither can be used. One that is there already comes first, so that a restarted agent finds its
 * switch. Only a real directory of this user that nobody else may enter is used. Throws an `Error` when none can be had.
 */
export async function switchFolder(
  dataDir: string,
  stateDir: string,
  roots: readonly string[] = ROOTS,
): Promise<string> {
  const known = await knownSwitchFolder(dataDir, stateDir, roots);
  if (known !== null) return known;
  const parents = parentsOf(stateDir, roots);
  for (const parent of parents) {
    const made = `${parent}/${leafOf(dataDir)}`;
    if (await makePrivate(parent) && await makePrivate(made)) return made;
  }
  const tried = parents.join(", ");
  throw new Error(`Cannot keep the state of the dead-man's switch: no right to use ${tried}`);
}

/** The folder that is there already; null: no switch was ever started here since the host was. */
export async function knownSwitchFolder(
  dataDir: string,
  stateDir: string,
  roots: readonly string[] = ROOTS,
): Promise<string | null> {
  for (const parent of parentsOf(stateDir, roots)) {
    const known = `${parent}/${leafOf(dataDir)}`;
    if (await isPrivate(parent) && await isPrivate(known)) return known;
  }
  return null;
}

/** Where this user keeps the folders of its switches. */
function parentsOf(stateDir: string, roots: readonly string[]): readonly string[] {
  return [...roots.map((root) => `${root}/agent-${Deno.uid()}`), `${stateDir}/switch`];
}

function leafOf(dataDir: string): string {
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
