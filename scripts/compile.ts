import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { AGENT_VERSION } from "../lib/core/version.ts";
import { bundle } from "./executable/bundle.ts";
import { compileProgram } from "./executable/compiled.ts";
import {
  DamagedPart,
  type Executable,
  pack,
  type Part,
  partOf,
  render,
  sha256,
} from "./executable/launcher.ts";
import { Misbehaviour, proveProduct } from "./executable/proof.ts";

const PROJECT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const USAGE =
  `Usage: deno task compile [--output FILE] [--kind any|compiled|self-extracting] [--packed FOLDER] [--unproved]
  Writes the agent as one file. "any" takes deno compile where its base program can be had, else packs Deno itself.
  --packed    keeps the packed runtime there for the next build (default dist/packed)
  --unproved  does not run the product afterwards
`;
const KINDS = ["any", "compiled", "self-extracting"];

interface Wishes {
  readonly output: string;
  readonly kind: string;
  readonly packed: string;
  readonly isProved: boolean;
}

/** Builds the agent and runs what it has built. Exit codes: 0 done, 1 failed, 2 usage. */
async function main(args: readonly string[]): Promise<number> {
  const wishes = read(args);
  if (wishes === null) {
    await print(USAGE);
    return 2;
  }
  const folder = await Deno.makeTempDir({ prefix: "agent-compile-" });
  try {
    return await build(wishes, folder);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    await print(`Cannot make ${wishes.output}: ${error.message}\n`);
    return 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function read(args: readonly string[]): Wishes | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        output: { type: "string", default: `${PROJECT}/dist/agent` },
        kind: { type: "string", default: "any" },
        packed: { type: "string", default: `${PROJECT}/dist/packed` },
        unproved: { type: "boolean", default: false },
      },
    });
    const { output, kind, packed } = values;
    return KINDS.includes(kind) ? { output, kind, packed, isProved: !values.unproved } : null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

async function build(wishes: Wishes, folder: string): Promise<number> {
  const { program, map } = await bundle(PROJECT, folder);
  if (wishes.kind !== "self-extracting") {
    const fault = await buildCompiled(wishes, folder);
    if (fault === null) return 0;
    await print(`deno compile is not possible here: ${fault}\n`);
    if (wishes.kind === "compiled") return 1;
  }
  const runtime = await packedDeno(wishes.packed);
  const parts = { runtime, program: pack(program), map: pack(map) };
  await finish(wishes, parts, "Deno and the bundled program");
  return 0;
}

/** Why it was not possible, or why its product must not be used; null when it is there and proved. */
async function buildCompiled(wishes: Wishes, folder: string): Promise<string | null> {
  const compiled = await compileProgram(folder);
  if (typeof compiled === "string") return compiled;
  const nothing = pack(new Uint8Array());
  try {
    const parts = { runtime: pack(compiled), program: nothing, map: nothing };
    await finish(wishes, parts, "deno compile");
    return null;
  } catch (error) {
    if (error instanceof Misbehaviour) return error.message;
    throw error;
  }
}

type Parts = Omit<Executable, "version">;

async function finish(wishes: Wishes, parts: Parts, kind: string): Promise<void> {
  const { output, isProved } = wishes;
  const file = await render({ version: AGENT_VERSION, ...parts });
  const isNew = !await isThere(output, file);
  if (isNew) await writeWhole(output, file);
  const size = `${(file.length / 1e6).toFixed(1)} MB`;
  await print(`${output}: ${size}, ${kind}${isNew ? "" : ", up to date"}\n`);
  if (isProved) await proveProduct(output, print);
}

/** Packing takes seconds, so it is kept under the hash of what is packed. One that is damaged is made anew. */
async function packedDeno(folder: string): Promise<Part> {
  const runtime = await Deno.readFile(Deno.execPath());
  const kept = `${folder}/${sha256(runtime)}.gz`;
  const found = await packedOf(runtime, kept);
  if (found !== null) return found;
  const part = pack(runtime);
  await writeWhole(kept, part.packed);
  return part;
}

async function packedOf(content: Uint8Array, path: string): Promise<Part | null> {
  try {
    return partOf(content, await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof DamagedPart) return null;
    throw error;
  }
}

async function isThere(path: string, content: Uint8Array): Promise<boolean> {
  try {
    const there = await Deno.readFile(path);
    return there.length === content.length && sha256(there) === sha256(content);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** By rename: whoever runs the file meanwhile keeps the old one. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  const beside = `${path}.${Deno.pid}`;
  await Deno.writeFile(beside, content, { mode: 0o755 });
  await Deno.rename(beside, path);
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text));
}

Deno.exit(await main(Deno.args));
