import type { Format } from "./table.ts";

/** Where a command writes; tests collect the text. */
export interface Output {
  /** The result, to stdout. */
  out(text: string): Promise<void>;
  /** Errors, questions and remarks, to stderr. */
  err(text: string): Promise<void>;
}

/** An output that a command may fill again and again. */
export interface Screen extends Output {
  /** Empties the screen; does nothing when stdout is no terminal. */
  clear(): Promise<void>;
  /** How many characters a line of the terminal has that stdout is; null: stdout is none, or does not tell. */
  width(): number | null;
  /** True when the reader of stdout has gone: there is nobody to write for. */
  isGone(): boolean;
}

let isStdoutGone = false;

/** The terminal, or what stands in its place. The only writer of stdout and stderr in commands. */
export const terminalOutput: Screen = {
  out: (text) => writeAll(Deno.stdout, visible(text)),
  err: (text) => writeAll(Deno.stderr, visible(text)),
  clear: async () => {
    if (Deno.stdout.isTerminal()) await writeAll(Deno.stdout, "\x1b[H\x1b[2J\x1b[3J");
  },
  width: () => {
    if (!Deno.stdout.isTerminal()) return null;
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : null;
  },
  isGone: () => isStdoutGone,
};

/** One line for stderr: what went wrong, and what to do next when that is known. */
export function complaint(what: string, next?: string): string {
  return next === undefined ? `agent: ${what}\n` : `agent: ${what}\n       ${next}\n`;
}

/** A sentence of what was done: for people the result, in the other forms a remark, so that stdout can be parsed. */
export async function say(
  { output, format }: { readonly output: Output; readonly format: Format },
  text: string,
): Promise<void> {
  await output[format === "pretty" ? "out" : "err"](text);
}

/** Text that a terminal takes for text: whatever a member or the store says, it moves no cursor and rings no bell. */
export function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

/** Text of somebody else as one line, cut where it gets long. */
export function plainLine(text: string): string {
  const line = text.trim().replace(/\p{Cc}+/gu, " ");
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line;
}

const LINE_MAX = 500;

interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

async function writeAll(sink: Sink, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await sink.write(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      if (sink === Deno.stdout) isStdoutGone = true;
      return; // the reader has seen enough: `agent list | head -1`
    }
  }
}
