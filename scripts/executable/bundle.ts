import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isJsonObject } from "../../lib/base/json.ts";

const BUNDLE_MS = 300_000;

/** The program as one file, and where in the sources its lines come from. */
export interface Bundle {
  readonly program: Uint8Array;
  readonly map: Uint8Array;
}

/**
 * Bundles the program with its npm packages into `folder`. The same sources give the same bytes. Throws when Deno
 * cannot; at its first use it fetches esbuild from npm.
 */
export async function bundle(project: string, folder: string): Promise<Bundle> {
  const output = `${folder}/agent.js`;
  const words = ["bundle", "--quiet", "--platform", "deno", "--minify", "--sourcemap=linked"];
  await runDeno([...words, "--output", output, "main.ts"], { cwd: project, timeoutMs: BUNDLE_MS });
  const map: unknown = JSON.parse(await Deno.readTextFile(`${output}.map`));
  if (!isJsonObject(map)) throw new TypeError(`deno bundle wrote no source map to ${output}.map`);
  // The lines of a trace need names and positions, not the sources themselves.
  const sources = readSources(map["sources"]).map((name) => shortName(name, output, project));
  const text = await Deno.readTextFile(output);
  const lacksRequire = !text.includes("createRequire(import.meta.url)");
  const mappings = lacksRequire ? `;${String(map["mappings"])}` : map["mappings"]; // one line more
  const slim = { ...map, mappings, sourcesContent: undefined, sources };
  return {
    program: new TextEncoder().encode(lacksRequire ? REQUIRE + text : text),
    map: new TextEncoder().encode(JSON.stringify(slim)),
  };
}

/**
 * What packages in the older form of modules call. Deno 2.9 puts it in by itself, but overlooks the place when the
 * minified name there is `$`.
 */
const REQUIRE = 'import{createRequire as agentRequire}from"node:module";' +
  "const require=agentRequire(import.meta.url);\n";

function readSources(found: unknown): readonly string[] {
  if (!Array.isArray(found)) throw new TypeError("deno bundle wrote a source map without sources");
  return found.map(String);
}

/** Where the project and the cache lie must not change what is built. */
function shortName(source: string, output: string, project: string): string {
  const path = fileURLToPath(new URL(source, pathToFileURL(output)));
  const [, packaged] = /\/npm\/[^/]+\/(.*)$/.exec(path) ?? [];
  if (packaged !== undefined) return `npm/${packaged}`;
  return relative(project, path);
}

/** Runs Deno to its end. Throws with its last words when it fails or takes longer than the deadline. */
export async function runDeno(
  args: readonly string[],
  { cwd, timeoutMs }: { readonly cwd: string; readonly timeoutMs: number },
): Promise<void> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(timeoutMs),
  }).output();
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new Error(`deno ${args[0]}: ${said === "" ? `no answer within ${timeoutMs} ms` : said}`);
}
