import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { configError, type Spot, valueAt } from "./faults.ts";
import type { KeyPath } from "./key_table.ts";
import { parseYamlFile, type YamlFile } from "./yaml_file.ts";

type Env = Readonly<Record<string, string>>;

/** What a configuration argument holds, not checked yet. */
export interface ConfigSource {
  /** For faults of the whole: the file, the folder, or what stands in their place. */
  readonly name: string;
  readonly values: JsonObject;
  /** The variables that lie over it. */
  readonly env: Env;
  /** File and line of the deepest part of a path that is given. */
  readonly spotOf: (path: KeyPath) => Spot;
}

/** One document with the name it has in faults. */
export interface NamedText {
  readonly file: string;
  readonly text: string;
}

const WHOLE = "PATRONI_CONFIGURATION";
/** Variables that are the agent's own and not part of a document. */
const OWN = "AGENT_STATE_DIR";

/**
 * Reads a file, or a folder of `*.yml` and `*.yaml`, which are merged in the order of their names. An empty path means
 * the environment: the document in `PATRONI_CONFIGURATION`, which then counts alone, else single variables. Throws
 * `ConfigError`, also for a path that is not there: to go on with the variables alone would start another member.
 */
export async function readSource(path: string, env: Env): Promise<ConfigSource> {
  if (path !== "") return sourceOf(path, await readTexts(path), env);
  const whole = env[WHOLE] ?? "";
  if (whole.trim() === "") return sourceOf("the environment", [], env);
  const own = env[OWN] === undefined ? {} : { [OWN]: env[OWN] };
  return sourceOf(WHOLE, [{ file: WHOLE, text: whole }], own);
}

/** Documents in their order, later ones over earlier ones. Throws `ConfigError` for what is no YAML mapping. */
export function sourceOf(name: string, texts: readonly NamedText[], env: Env): ConfigSource {
  const files = texts.map(({ file, text }) => ({ file, yaml: parseYamlFile(file, text) }));
  const faults = files.flatMap(({ yaml }) => yaml.faults);
  if (faults.length > 0) throw configError(name, faults);
  const nothing: JsonObject = {};
  const values = files.reduce((merged, { yaml }) => merge(merged, yaml.values), nothing);
  return { name, values, env, spotOf: (path) => spotIn(files, path) };
}

/** Mappings are merged, everything else is replaced. */
function merge(below: JsonObject, above: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const old = merged.get(key);
    const isDeep = old !== undefined && isJsonObject(old) && isJsonObject(value);
    merged.set(key, isDeep ? merge(old, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The file that knows most of the path; of equals the last one, since it wins. */
function spotIn(
  files: readonly { readonly file: string; readonly yaml: YamlFile }[],
  path: KeyPath,
): Spot {
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length);
    const found = files.findLast(({ yaml }) => valueAt(yaml.values, part) !== undefined);
    if (found !== undefined) return { file: found.file, line: found.yaml.lineOf(part) };
  }
  return { file: files.at(-1)?.file ?? null, line: null };
}

async function readTexts(path: string): Promise<readonly NamedText[]> {
  try {
    const { isDirectory } = await Deno.stat(path);
    const names = isDirectory ? await yamlNames(path) : [path];
    return await Promise.all(names.map(async (file) => {
      return { file, text: await Deno.readTextFile(file) };
    }));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw unreadable(path, reasonOf(cause), { cause });
  }
}

async function yamlNames(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && /\.ya?ml$/.test(name)) names.push(name);
  }
  if (names.length === 0) throw unreadable(folder, "a folder without *.yml files");
  const base = folder.replace(/\/+$/, "");
  return names.sort().map((name) => `${base}/${name}`);
}

function unreadable(path: string, found: string, options: ErrorOptions = {}): Error {
  const message = `expected a configuration file or a folder of them, found ${found}`;
  return configError(path, [{ file: path, line: null, path: "", message }], options);
}

function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "one that may not be read";
  return error.message;
}
