/** Where a command writes; tests collect the text. */
export interface Output {
  /** The result, to stdout. */
  out(text: string): Promise<void>;
  /** Errors, questions and remarks, to stderr. */
  err(text: string): Promise<void>;
}

/** The terminal, or what stands in its place. The only writer of stdout and stderr in commands. */
export const terminalOutput: Output = {
  out: (text) => writeAll(Deno.stdout, text),
  err: (text) => writeAll(Deno.stderr, text),
};

/** One line for stderr: what went wrong, and what to do next when that is known. */
export function complaint(what: string, next?: string): string {
  return next === undefined ? `agent: ${what}\n` : `agent: ${what}\n       ${next}\n`;
}

interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

async function writeAll(sink: Sink, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await sink.write(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return; // the reader has seen enough: `agent list | head -1`
      throw error;
    }
  }
}
