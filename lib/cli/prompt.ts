import type { Output } from "./output.ts";

/** Questions to the person at the terminal. */
export interface Prompt {
  /** False: nobody can answer, so nothing may be asked. */
  readonly isTerminal: boolean;
  /** One line of the answer, trimmed; "" at the end of input. */
  ask(question: string): Promise<string>;
}

/** Asks on stderr, so that stdout carries results only; reads stdin. */
export function terminalPrompt(output: Output): Prompt {
  return {
    isTerminal: Deno.stdin.isTerminal(),
    async ask(question: string): Promise<string> {
      await output.err(question);
      return await readLine();
    },
  };
}

/** True for y and yes in any case; everything else is no. */
export async function confirm(prompt: Prompt, question: string): Promise<boolean> {
  const answer = await prompt.ask(`${question} [y/N] `);
  return ["y", "yes"].includes(answer.toLowerCase());
}

const LINE_MAX = 4096;

async function readLine(): Promise<string> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(256);
  let line = "";
  while (!line.includes("\n") && line.length < LINE_MAX) {
    const count = await Deno.stdin.read(bytes);
    if (count === null) break;
    line += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
  return (line.split("\n")[0] ?? "").trim();
}
