import { join } from "node:path";

/** Where Debian keeps the settings of its clusters, one folder for each version and name. */
const DEBIAN_CLUSTERS = "/etc/postgresql";

/**
 * Warnings about services of Debian and Ubuntu (`postgresql@VERSION-NAME`) that start a server in `dataDir` when the host
 * starts, behind the agent's back: one for each cluster whose `postgresql.conf` names the directory while its `start.conf`
 * says `auto`, which is also what a missing one means (pg_createcluster(1)). Empty on other systems. Never throws: what
 * cannot be read is told as a warning too. `clusters` is for tests.
 */
export async function debianServiceWarnings(
  dataDir: string,
  clusters: string = DEBIAN_CLUSTERS,
): Promise<readonly string[]> {
  const own = await realPath(dataDir);
  const warnings: string[] = [];
  try {
    for (const version of await namesIn(clusters)) {
      for (const name of await namesIn(join(clusters, version))) {
        const folder = join(clusters, version, name);
        if (await startsByItself(folder, own)) warnings.push(warningOf(folder, version, name));
      }
    }
  } catch (error) {
    warnings.push(`Cannot tell whether a service of Debian starts this server: ${String(error)}`);
  }
  return warnings;
}

async function startsByItself(folder: string, own: string): Promise<boolean> {
  const settings = await linesOf(join(folder, "postgresql.conf"));
  const named = settings.flatMap((line) => dataDirectoryIn(line) ?? []).at(-1);
  if (named === undefined || await realPath(named) !== own) return false;
  const [start = "auto"] = (await linesOf(join(folder, "start.conf"))).flatMap(wordIn);
  return start === "auto";
}

function warningOf(folder: string, version: string, name: string): string {
  return `The service postgresql@${version}-${name} would start this server behind the agent's back:` +
    ` write "manual" instead of "auto" into ${join(folder, "start.conf")},` +
    ` then run systemctl daemon-reload`;
}

/** The value of a line `data_directory = 'path'`; the equals sign and the quotes may be missing. */
function dataDirectoryIn(line: string): string | null {
  const found = /^\s*data_directory(?:\s*=\s*|\s+)(?:'((?:[^']|'')*)'|([^\s#']+))/i.exec(line);
  return found?.[1]?.replaceAll("''", "'") ?? found?.[2] ?? null;
}

function wordIn(line: string): readonly string[] {
  const word = line.replace(/#.*/, "").trim();
  return word === "" ? [] : [word];
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await unlessMissing(async () => {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(name);
    return names.sort();
  }, []);
}

async function linesOf(file: string): Promise<readonly string[]> {
  return await unlessMissing(async () => (await Deno.readTextFile(file)).split("\n"), []);
}

/** A directory that does not exist yet is compared by its name. */
async function realPath(path: string): Promise<string> {
  return await unlessMissing(() => Deno.realPath(path), path.replace(/(?<=.)\/+$/, ""));
}

async function unlessMissing<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return otherwise;
    throw error;
  }
}
