import { dirname } from "node:path";
import { realPathOf } from "../base/real_path.ts";
import { findLinks, linkTarget, userOf } from "./outer_places.ts";

/** What a data directory is, by its files alone. */
export type DirState =
  | { readonly kind: "empty" }
  /** A job is or was at work in it: it must not be started, and may be wiped. */
  | { readonly kind: "half-made"; readonly mark: Mark }
  /** `unproven`: the look failed, which says nothing about the data. */
  | { readonly kind: "unreadable"; readonly why: string; readonly unproven?: true }
  | { readonly kind: "complete"; readonly majorVersion: number };

/** What the marker beside a data directory says of it. */
export type Mark = "bootstrap" | "clone" | "rewind" | "move-aside";

/**
 * Looks at the files. A directory with pg_control and PG_VERSION is complete without listing it (listing can be slow);
 * `lost+found` and dot files do not count as content, since mount points have them. `ignoreMark` is for the job that
 * put the marker.
 */
export async function inspectDataDir(dataDir: string, ignoreMark = false): Promise<DirState> {
  try {
    const mark = ignoreMark ? null : await readMark(dataDir);
    // Over nothing: the marker's writing was cut off, or all is aside already. What is kept must not give way to that.
    const isNothing = mark === "move-aside" && await isEmptyDir(dataDir);
    if (isNothing && !await leadsNowhere(dataDir)) return { kind: "empty" };
    if (mark !== null) return { kind: "half-made", mark };
    if (await exists(`${dataDir}/global/pg_control`)) return await readVersion(dataDir);
    if (await isEmptyDir(dataDir)) return { kind: "empty" };
    return { kind: "unreadable", why: `"${dataDir}" has content but no global/pg_control` };
  } catch (error) {
    if (error instanceof Error) return { kind: "unreadable", why: error.message, unproven: true };
    throw error;
  }
}

/**
 * Puts the marker beside the directory before it is made unusable; on disk when this returns. One that is there is replaced
 * at once: cut off by a full disk it would say that what lies here is to be kept, in the place of what was kept before.
 */
export async function putMark(dataDir: string, mark: Mark): Promise<void> {
  const draft = `${markPath(dataDir)}.new`;
  {
    using file = await Deno.open(draft, { write: true, create: true, truncate: true });
    await file.write(new TextEncoder().encode(`${mark}\n`));
    await file.syncData();
  }
  await Deno.rename(draft, markPath(dataDir));
  await syncMark(dataDir);
}

/** Removes the marker, on the disk as well when this returns: the directory is complete, or empty. */
export async function removeMark(dataDir: string): Promise<void> {
  await removeIfThere(markPath(dataDir));
  await syncMark(dataDir);
}

/**
 * Its folder may be on another disk than the data, so that a loss of power could keep what was done last and lose it. One
 * that cannot be read or forced to disk is left to the file system, as PostgreSQL does (fsync_fname).
 */
async function syncMark(dataDir: string): Promise<void> {
  try {
    using folder = await Deno.open(dirname(markPath(dataDir)));
    await folder.sync();
  } catch (error) {
    const isUnable = error instanceof Error && "code" in error &&
      ["EACCES", "EBADF", "EINVAL"].some((code) => code === error.code);
    if (!isUnable) throw error;
  }
}

/**
 * Removes the content of the directory and of the directories behind its pg_wal and tablespace links, except what another
 * server that runs here uses: a copy of files alone has the links of its source.
 */
export async function wipe(dataDir: string): Promise<void> {
  for (const link of await findLinks(dataDir)) {
    if (await userOf(link.target, dataDir) === null) await removeContent(link.target);
  }
  await removeContent(dataDir);
}

/**
 * Renames the directory and those behind its links to `<name><suffix>`, replacing older ones, and leaves nothing at
 * the old places. The links of the renamed directory point to the renamed targets. Where `dataDir` is a link itself the
 * directory behind it is renamed, on its own disk, and the link leads to an empty one. May be repeated after a crash.
 * Returns the new name.
 */
export async function moveAside(dataDir: string, suffix: string): Promise<string> {
  for (const { path, target } of await findLinks(dataDir)) {
    if (target.endsWith(suffix)) continue;
    await renameOver(target, `${target}${suffix}`);
    await Deno.remove(path);
    await Deno.symlink(`${target}${suffix}`, path);
  }
  const real = await realPathOf(dataDir);
  const aside = `${real}${suffix}`;
  await renameOver(real, aside);
  // pg_basebackup and initdb make no directory behind a link that leads nowhere.
  if (await linkTarget(dataDir) !== null) await Deno.mkdir(real, { recursive: true, mode: 0o700 });
  return aside;
}

/** True when standby.signal or recovery.signal makes the next start one in recovery. */
export async function startsAsStandby(dataDir: string): Promise<boolean> {
  return await exists(`${dataDir}/standby.signal`) || await exists(`${dataDir}/recovery.signal`);
}

/** True when the directory is on another device than its parent: such a one cannot be renamed. */
export async function isMountPoint(dataDir: string): Promise<boolean> {
  const [own, parent] = await Promise.all([Deno.stat(dataDir), Deno.stat(`${dataDir}/..`)]);
  return own.dev !== parent.dev;
}

/** Makes the next start one as a standby, or one as a primary. */
export async function setStandbySignal(dataDir: string, isStandby: boolean): Promise<void> {
  if (isStandby) return await Deno.writeTextFile(`${dataDir}/standby.signal`, "");
  await removeIfThere(`${dataDir}/standby.signal`);
  await removeIfThere(`${dataDir}/recovery.signal`);
}

/** The file's text, or null when there is none; other faults throw. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** True for anything at `path`, a dangling link excepted. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file; none there is no fault. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function markPath(dataDir: string): string {
  return `${dataDir}.agent-incomplete`;
}

async function readMark(dataDir: string): Promise<Mark | null> {
  const text = await readIfThere(markPath(dataDir));
  if (text === null) return null;
  const mark = text.trim();
  // Anything else is not ours, or lost its content with the host's power: what lies here may be all there is.
  return mark === "bootstrap" || mark === "clone" || mark === "rewind" ? mark : "move-aside";
}

async function readVersion(dataDir: string): Promise<DirState> {
  const text = await readIfThere(`${dataDir}/PG_VERSION`);
  const majorVersion = Number.parseInt(text ?? "", 10);
  if (majorVersion >= 12) return { kind: "complete", majorVersion };
  const why = Number.isNaN(majorVersion)
    ? `"${dataDir}" has no readable PG_VERSION`
    : `"${dataDir}" is of PostgreSQL ${majorVersion}, and 12 is the oldest supported`;
  return { kind: "unreadable", why };
}

/** True for a link to nothing: `moveAside` was cut off before it made the new directory. */
async function leadsNowhere(dataDir: string): Promise<boolean> {
  return !await exists(dataDir) && await linkTarget(dataDir) !== null;
}

async function isEmptyDir(dataDir: string): Promise<boolean> {
  if (!await exists(dataDir)) return true;
  for await (const entry of Deno.readDir(dataDir)) {
    if (entry.name !== "lost+found" && !entry.name.startsWith(".")) return false;
  }
  return true;
}

async function removeContent(dir: string): Promise<void> {
  if (!await exists(dir)) return;
  for await (const entry of Deno.readDir(dir)) {
    if (entry.name === "lost+found") continue;
    await Deno.remove(`${dir}/${entry.name}`, { recursive: true });
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  if (!await exists(from)) return;
  if (await exists(to)) await Deno.remove(to, { recursive: true });
  await Deno.rename(from, to);
}
