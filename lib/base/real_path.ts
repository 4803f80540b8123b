/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40;

/**
 * The one name of the place at this absolute path: without links, `.` and `..`, so that two paths to one directory give
 * the same. What does not exist yet is named below the real directory that will hold it. Throws the file system's errors.
 */
export function realPathOf(path: string): Promise<string> {
  return resolve(path, LINKS_MAX);
}

/**
 * True when `path` leads to the place that was written down as `real`, its real path. A path that cannot be followed is
 * compared by its text.
 */
export async function leadsTo(path: string, real: string): Promise<boolean> {
  if (path === real) return true;
  try {
    return await realPathOf(path) === await realPathOf(real);
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

async function resolve(path: string, linksLeft: number): Promise<string> {
  const found = await orMissing(Deno.realPath(path));
  if (found !== null) return found;
  const [, above = "", name = ""] = /^(.*?)\/+([^/]*)\/*$/.exec(path) ?? [];
  if (name === "") return "/";
  const parent = await resolve(above === "" ? "/" : above, linksLeft);
  if (name === ".") return parent;
  if (name === "..") return parent.slice(0, parent.lastIndexOf("/")) || "/";
  const here = `${parent === "/" ? "" : parent}/${name}`;
  const target = linksLeft > 0 ? await orMissing(linkAt(here)) : null;
  if (target === null) return here;
  return await resolve(target.startsWith("/") ? target : `${parent}/${target}`, linksLeft - 1);
}

/** What a link says, also one to nothing; null for anything else. */
async function linkAt(path: string): Promise<string | null> {
  return (await Deno.lstat(path)).isSymlink ? await Deno.readLink(path) : null;
}

/** Null for what is not there. */
async function orMissing(reading: Promise<string | null>): Promise<string | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
