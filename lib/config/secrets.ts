import type { ConfigFault } from "../base/errors.ts";
import { cleanEnvironment } from "../base/child_environment.ts";
import { isJsonObject, type JsonObject } from "../base/json.ts";
import { splitWords } from "../base/words.ts";
import { put } from "./environment.ts";
import { place, type Sources, valueAt } from "./faults.ts";
import { type KeyPath, knownKeys } from "./key_table.ts";

/** A program that gives a secret must do so within this; the agent waits for it at its start. */
const COMMAND_MS = 10_000;
const BYTES_MAX = 65_536;

/** The values with secrets in place of where they are to be taken from, and what went wrong. */
export interface Resolved {
  readonly values: JsonObject;
  readonly faults: readonly ConfigFault[];
}

type Secret = { readonly text: string } | { readonly fault: string };

/**
 * Replaces `{file: /path}` and `{command: words}` at the keys that hold secrets by the first line of that file or of the
 * command's output. No fault repeats what was read. A file that everybody may read or its group may write is refused.
 */
export async function resolveSecrets(sources: Sources): Promise<Resolved> {
  const faults: ConfigFault[] = [];
  let values = sources.values;
  for (const { path, notes } of knownKeys()) {
    if (notes.secret !== true) continue;
    const reference = referenceAt(values, path);
    if (reference === null) continue;
    const secret = await readSecret(reference);
    if ("fault" in secret) faults.push(place(sources, path, secret.fault));
    // A placeholder keeps the reader of the key from telling a second fault for the same place.
    values = put(values, path, "text" in secret ? secret.text : "unreadable");
  }
  return { values, faults };
}

function referenceAt(values: JsonObject, path: KeyPath): JsonObject | null {
  const value = valueAt(values, path);
  return value !== undefined && isJsonObject(value) ? value : null;
}

async function readSecret(reference: JsonObject): Promise<Secret> {
  const [[kind, value] = [], ...others] = Object.entries(reference);
  const isKnown = kind === "file" || kind === "command";
  if (!isKnown || others.length > 0 || typeof value !== "string") {
    return { fault: "expected text, or one of file: /path and command: words, found a mapping" };
  }
  return kind === "file" ? await fromFile(value) : await fromCommand(value);
}

async function fromFile(path: string): Promise<Secret> {
  if (!path.startsWith("/")) return { fault: "expected an absolute path of a file" };
  try {
    const { mode, isFile, size } = await Deno.stat(path);
    if (!isFile || size > BYTES_MAX) return { fault: `expected a small file at ${path}` };
    if (((mode ?? 0) & 0o027) !== 0) {
      const found = ((mode ?? 0) & 0o777).toString(8).padStart(4, "0");
      return {
        fault: `expected ${path} to be closed to others (mode 0640 or less), found ${found}`,
      };
    }
    return firstLine(await Deno.readTextFile(path), path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { fault: `expected a file that can be read, found ${error.name} at ${path}` };
  }
}

async function fromCommand(line: string): Promise<Secret> {
  const [program, ...args] = splitWords(line) ?? [];
  if (program === undefined) return { fault: "expected a command line" };
  try {
    using child = startChild(program, args);
    const end = await Promise.race([Promise.all([child.output(), child.status]), child.abandoned]);
    if (end === null || child.isLate()) {
      return { fault: `expected ${program} to end within ${COMMAND_MS / 1000} s` };
    }
    const [output, { code }] = end;
    if (code !== 0) return { fault: `expected ${program} to succeed, found exit code ${code}` };
    return firstLine(output, program);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { fault: `expected a program that can be run, found ${error.name} for ${program}` };
  }
}

interface Child extends Disposable {
  readonly status: Promise<Deno.CommandStatus>;
  /** The text until the pipe is closed or the time is over. */
  output(): Promise<string>;
  isLate(): boolean;
  /** When it is late and cannot be ended: another user's, as sudo makes it. */
  readonly abandoned: Promise<null>;
}

/** In a process group of its own, so that the end of the time reaches its children, too. */
function startChild(program: string, args: readonly string[]): Child {
  const child = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: cleanEnvironment(),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const reader = child.stdout.getReader();
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<null>();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (!killGroup(child.pid)) abandon(null);
    void reader.cancel();
  }, COMMAND_MS);
  return {
    status: child.status,
    output: () => textOf(reader),
    isLate: () => late,
    abandoned,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** False when it is not ours to end. */
function killGroup(pid: number): boolean {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}

async function textOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (text.length < BYTES_MAX) text += decoder.decode(next.value, { stream: true });
  }
  return text;
}

function firstLine(text: string, from: string): Secret {
  const line = text.replace(/\r?\n$/, "");
  const isOne = line !== "" && line.length < BYTES_MAX && !/[\r\n\0]/.test(line);
  if (!isOne) return { fault: `expected one line from ${from}` };
  return { text: line };
}
