import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

const TEMPLATE = new URL("launcher.sh", import.meta.url);
/**
 * The agent's work is short and its memory is that of a database host, so V8 collects on the one thread and keeps no
 * room for garbage (lib/decisions/0013-executable.md has the figures).
 */
export const V8_FLAGS = "--v8-flags=--single-threaded,--optimize-for-size,--max-semi-space-size=1";
/** What the launcher puts before the arguments when the runtime is Deno itself; `$` words are the shell's. */
const RUN_WORDS =
  "run --quiet --no-config --no-lock --no-remote --no-npm --cached-only --no-prompt " +
  `--unstable-net --allow-all ${V8_FLAGS} "$folder/$program/agent.js"`;

/** A part of the file, as it is and packed. */
export interface Part {
  readonly bytes: number;
  readonly hash: string;
  readonly packed: Uint8Array;
}

/** What was kept packed is not what it should be. */
export class DamagedPart extends Error {}

/** Packs one part by gzip; the same content gives the same bytes. */
export function pack(content: Uint8Array): Part {
  return { bytes: content.length, hash: sha256(content), packed: gzipSync(content, { level: 6 }) };
}

/** A part that was packed before. Throws `DamagedPart` when it does not hold the content. */
export function partOf(content: Uint8Array, packed: Uint8Array): Part {
  const hash = sha256(content);
  if (unpackedHash(packed) !== hash) throw new DamagedPart("the packed part has another content");
  return { bytes: content.length, hash, packed };
}

function unpackedHash(packed: Uint8Array): string {
  try {
    return sha256(gunzipSync(packed));
  } catch (cause) {
    throw new DamagedPart("the packed part cannot be unpacked", { cause });
  }
}

/** Hash as `sha256sum` prints it. */
export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** What one self-extracting file is made of. */
export interface Executable {
  readonly version: string;
  /** Deno, which runs `program`; or a program by `deno compile`, and `program` is empty. */
  readonly runtime: Part;
  readonly program: Part;
  readonly map: Part;
}

/** The whole file: the launcher, then the runtime, the program and its source map. */
export async function render(executable: Executable): Promise<Uint8Array> {
  const { runtime, program, map } = executable;
  const template = await Deno.readTextFile(TEMPLATE);
  const payload = runtime.packed.length + program.packed.length + map.packed.length;
  const head = settle((size) => fill(template, valuesOf(executable, size + payload)));
  return concat([head, runtime.packed, program.packed, map.packed]);
}

/** The launcher names the size of the whole file, which its own length is a part of. */
function settle(make: (size: number) => Uint8Array): Uint8Array {
  let head = make(0);
  for (let size = -1; size !== head.length;) {
    size = head.length;
    head = make(size);
  }
  return head;
}

function valuesOf(executable: Executable, total: number): Readonly<Record<string, string>> {
  const { version, runtime, program, map } = executable;
  return {
    VERSION: version,
    TOTAL: String(total),
    MACHINE: Deno.build.arch,
    RUNTIME_KEY: runtime.hash.slice(0, 16),
    // The map is put into the same folder.
    PROGRAM_KEY: sha256(new TextEncoder().encode(program.hash + map.hash)).slice(0, 16),
    ...valuesOfPart("RUNTIME", runtime),
    ...valuesOfPart("PROGRAM", program),
    ...valuesOfPart("MAP", map),
    WORDS: program.bytes === 0 ? "" : RUN_WORDS,
  };
}

function valuesOfPart(name: string, part: Part): Readonly<Record<string, string>> {
  return {
    [`${name}_BYTES`]: String(part.bytes),
    [`${name}_HASH`]: part.hash,
    [`${name}_PACKED`]: String(part.packed.length),
    [`${name}_PACKED_HASH`]: sha256(part.packed),
  };
}

function fill(template: string, values: Readonly<Record<string, string>>): Uint8Array {
  const text = template.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`launcher.sh asks for an unknown @${name}@`);
    return value;
  });
  return new TextEncoder().encode(text);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
