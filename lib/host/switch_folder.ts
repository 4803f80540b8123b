import { createHash } from "node:crypto";

/** Folders that a reboot empties and that no data disk can block, in the order of trial. */
const ROOTS = ["/run", "/dev/shm"];

/** A candidate below which this user may keep the folders of its switches. */
interface Candidate {
  readonly root: string;
  readonly folder: string;
}

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
  const candidates = [...roots.map(ofUser), { root: stateDir, folder: `${stateDir}/switch` }];
  const leaf = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  for (const { folder } of candidates) {
    const known = `${folder}/${leaf}`;
    if (await isPrivate(folder) && await isPrivate(known)) return known;
  }
  for (const candidate of candidates) {
    const made = `${candidate.folder}/${leaf}`;
    if (await makePrivate(candidate.folder) && await makePrivate(made)) return made;
  }
  throw new Error(`Cannot keep the state of the dead-man's switch: ${tried(candidates)}`);
}

function ofUser(root: string): Candidate {
  return { root, folder: `${root}/agent-${Deno.uid()}` };
}

function tried(candidates: readonly Candidate[]): string {
  return `no right to use ${candidates.map(({ folder }) => folder).join(", ")}`;
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
