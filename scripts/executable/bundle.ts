import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isJsonObject } from "../../lib/base/json.ts";

const BUNDLE_MS = 300_000;

/**
 * Packages in the older form of modules call `require`, for which `deno bundle` puts in its own function. It misses the
 * place when the short name that is chosen for it is `$`, so that such a program ends at its first import.
 */
const WITHOUT_REQUIRE = 'Dynamic require of "';
const REQUIRE = 'import{createRequire as __agentRequire}from"node:module";' +
  "const require=__agentRequire(import.meta.url);\n";

/** The program as one file, and where in the sources its lines come from. */
export interface Bundle {
  readonly program: Uint8Array;
  readonly map: Uint8Array;
}

/**
 * Bundles the program with its npm packages into `folder`: `agent.js` and `agent.js.map`. The same sources give the same
 * bytes. The program does not name its map, for Deno would hold it in memory: `lib/base/sourced_trace.ts` reads it when a
 * trace is told. Throws when Deno cannot; at its first use it fetches esbuild from npm.
 */
export async function bundle(project: string, folder: string): Promise<Bundle> {
  const output = `${folder}/agent.js`;
  const words = ["bundle", "--quiet", "--platform", "deno", "--minify", "--sourcemap=external"];
  await runDeno([...words, "--output", output, "main.ts"], { cwd: project, timeoutMs: BUNDLE_MS });
  const map: unknown = JSON.parse(await Deno.readTextFile(`${output}.map`));
  if (!isJsonObject(map)) throw new TypeError(`deno bundle wrote no source map to ${output}.map`);
  // The lines of a trace need names and positions, not the sources themselves.
  const sources = readSources(map["sources"]).map((name) => shortName(name, output, project));
  const text = await Deno.readTextFile(output);
  const head = text.includes(WITHOUT_REQUIRE) ? REQUIRE : "";
  // Each line above the program is one more empty line of the map.
  const mappings = head === "" ? map["mappings"] : `;${map["mappings"]}`;
  const slim = { ...map, sourcesContent: undefined, sources, mappings };
  await Deno.writeTextFile(output, head + text);
  await Deno.writeTextFile(`${output}.map`, JSON.stringify(slim));
  return { program: await Deno.readFile(output), map: await Deno.readFile(`${output}.map`) };
}

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
