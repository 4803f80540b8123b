import { realPathOf } from "../base/real_path.ts";
import { findDataDirs } from "../host/processes.ts";

/** A link of a data directory: to its WAL, or to a tablespace. */
export interface DirLink {
  readonly path: string;
  /** As an absolute path. */
  readonly target: string;
}

/** All links of a data directory to places outside of it; none for a directory that is not there. */
export async function findLinks(dataDir: string): Promise<readonly DirLink[]> {
  const names = await namesIn(`${dataDir}/pg_tblspc`);
  const candidates = [`${dataDir}/pg_wal`, ...names.map((name) => `${dataDir}/pg_tblspc/${name}`)];
  const found: DirLink[] = [];
  for (const path of candidates) {
    const target = await linkTarget(path);
    if (target !== null) found.push({ path, target });
  }
  return found;
}

/** Where a link leads, as an absolute path; null: it is none, or nothing is there. */
export async function linkTarget(path: string): Promise<string | null> {
  try {
    const info = await Deno.lstat(path);
    if (!info.isSymlink) return null;
    const target = await Deno.readLink(path);
    return target.startsWith("/") ? target : `${path.slice(0, path.lastIndexOf("/"))}/${target}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * The data directory of another server that runs here and uses this place, or one around it or inside it; null: none.
 * Servers of other users are not seen.
 */
export async function userOf(place: string, dataDir: string): Promise<string | null> {
  const [real, own] = [await realPathOf(place), await realPathOf(dataDir)];
  for (const other of findDataDirs()) {
    if (other === own) continue;
    for (const used of [other, ...await targetsIfVisible(other)]) {
      if (isWithin(real, used) || isWithin(used, real)) return other;
    }
  }
  return null;
}

/**
 * Why the places behind the links must neither be emptied nor moved, null when they may. With an unknown version only
 * servers that run are looked for.
 */
export async function whyNotOurs(
  dataDir: string,
  majorVersion: number | null,
): Promise<string | null> {
  for (const { path, target } of await findLinks(dataDir)) {
    const user = await userOf(target, dataDir);
    if (user !== null) return `"${target}" is used by the server of "${user}" too`;
    if (majorVersion === null || path.endsWith("/pg_wal")) continue;
    const stranger = await strangerIn(target, majorVersion);
    if (stranger !== null) return `"${stranger}" in a tablespace is not of this server`;
  }
  return null;
}

/** What lies at a place, except what this data directory put there and a copy may replace; null: nothing. */
export async function occupantOf(place: string, dataDir: string): Promise<string | null> {
  const user = await userOf(place, dataDir);
  if (user !== null) return `the server of "${user}" uses it`;
  if ((await targetsOf(dataDir)).includes(await realPathOf(place))) return null;
  const [first] = await namesIn(place);
  return first === undefined ? null : `it holds "${first}"`;
}

async function targetsIfVisible(dataDir: string): Promise<readonly string[]> {
  try {
    return await targetsOf(dataDir);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return []; // a server of another user
    throw error;
  }
}

async function targetsOf(dataDir: string): Promise<readonly string[]> {
  return await Promise.all((await findLinks(dataDir)).map(({ target }) => realPathOf(target)));
}

function isWithin(place: string, outer: string): boolean {
  return place === outer || place.startsWith(`${outer === "/" ? "" : outer}/`);
}

/** Servers of other versions have folders of their own in one location (PostgreSQL's TABLESPACE_VERSION_DIRECTORY). */
async function strangerIn(location: string, majorVersion: number): Promise<string | null> {
  const own = new RegExp(`^(PG_${majorVersion}_\\d+|lost\\+found)$`);
  const found = (await namesIn(location)).find((name) => !own.test(name));
  return found === undefined ? null : `${location}/${found}`;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(dir), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
