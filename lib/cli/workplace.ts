import { splitWords } from "../base/words.ts";
import { ConfigError } from "../base/errors.ts";

/** Files and the editor of the person at the terminal. */
export interface Workplace {
  /** The text of a file, of stdin for `-`. Throws `ConfigError` when it cannot be read or is larger than 1 MiB. */
  read(path: string): Promise<string>;
  /** The text after the editor, which saw it as a file of its own. Throws `ConfigError` when the editor fails. */
  edit(text: string): Promise<string>;
  /** Keeps a text in a new file that only its owner reads, and names it. */
  keep(text: string): Promise<string>;
}

const BYTES_MAX = 1024 ** 2;

/** The real one. The editor is that of `VISUAL` or `EDITOR`, else `vi`. */
export function localWorkplace(env: Readonly<Record<string, string>>): Workplace {
  return {
    read: async (path) => await readText(path),
    edit: async (text) => {
      const editor = editorOf(env);
      const path = await keep(text);
      await runEditor(editor, path);
      const edited = await readText(path);
      await Deno.remove(path);
      return edited;
    },
    keep,
  };
}

async function keep(text: string): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "agent-config-", suffix: ".yaml" });
  await Deno.writeTextFile(path, text);
  return path;
}

function editorOf(env: Readonly<Record<string, string>>): readonly [string, ...string[]] {
  const line = [env["VISUAL"], env["EDITOR"]].find((name) => name !== undefined && name !== "");
  const [program, ...args] = splitWords(line ?? "vi") ?? [];
  if (program !== undefined) return [program, ...args];
  throw new ConfigError(`Cannot use the editor ${line}: expected a program and its options`, []);
}

async function runEditor(
  [program, ...args]: readonly [string, ...string[]],
  path: string,
): Promise<void> {
  try {
    const { success, code } = await new Deno.Command(program, { args: [...args, path] }).spawn()
      .status;
    if (success) return;
    throw new ConfigError(`${program} ended with ${code}: the text is in ${path}`, []);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    await Deno.remove(path);
    const what = `Cannot start the editor "${program}": set EDITOR, or use --set or --replace`;
    throw new ConfigError(what, [], { cause });
  }
}

async function readText(path: string): Promise<string> {
  try {
    const source = path === "-" ? Deno.stdin : await Deno.open(path);
    const text = await collect(source.readable);
    if (text !== null) return text;
    throw new ConfigError(`Cannot use ${path}: it has more than ${BYTES_MAX} bytes`, []);
  } catch (cause) {
    if (cause instanceof ConfigError || !(cause instanceof Error)) throw cause;
    throw new ConfigError(`Cannot read ${path}: ${reason(cause)}`, [], { cause });
  }
}

function reason(error: Error): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "it may not be read";
  return error instanceof TypeError ? "it is no UTF-8" : error.message;
}

/** All of it, or null when there is more than the limit. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, size] = ["", 0];
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > BYTES_MAX) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
