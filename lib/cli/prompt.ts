import type { Output } from "./output.ts";

/** Questions to the person at the terminal. */
export interface Prompt {
  /** False: nobody can answer, so nothing may be asked. */
  readonly isTerminal: boolean;
  /** One line of the answer, trimmed; "" at the end of input. */
  ask(question: string): Promise<string>;
  /** The same without showing what is typed; only for a terminal. */
  askSecret(question: string): Promise<string>;
}

/** Asks on stderr, so that stdout carries results only; reads stdin. */
export function terminalPrompt(output: Output): Prompt {
  const isTerminal = Deno.stdin.isTerminal();
  return {
    isTerminal,
    async ask(question: string): Promise<string> {
      await output.err(question);
      const answer = await readLine();
      if (!isTerminal) await output.err("\n"); // a terminal shows the one that was typed
      return answer;
    },
    async askSecret(question: string): Promise<string> {
      using _echo = withoutEcho(); // before anybody can begin to type
      await output.err(question);
      try {
        return await readLine();
      } finally {
        await output.err("\n");
      }
    },
  };
}

/** Until it is disposed nothing that is typed is shown; an end by a signal, as Ctrl-C sends it, turns the echo on too. */
function withoutEcho(): Disposable {
  const enders = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const end = (): void => {
      restore();
      Deno.kill(Deno.pid, signal); // nobody listens any more: it ends the program
    };
    return { signal, end };
  });
  const restore = (): void => {
    for (const { signal, end } of enders) Deno.removeSignalListener(signal, end);
    Deno.stdin.setRaw(false);
  };
  for (const { signal, end } of enders) Deno.addSignalListener(signal, end);
  Deno.stdin.setRaw(true, { cbreak: true }); // Ctrl-C still sends its signal
  return { [Symbol.dispose]: restore };
}

/** True for y and yes in any case; everything else is no. */
export async function confirm(prompt: Prompt, question: string): Promise<boolean> {
  const answer = await prompt.ask(`${question} [y/N] `);
  return ["y", "yes"].includes(answer.toLowerCase());
}

const LINE_MAX = 4096;

/** A terminal that does not echo sends a bare return. */
const END = /\r?\n|\r/;

const decoder = new TextDecoder();
let unread = "";

/** What was read beyond the line is kept for the next question: answers may come by a pipe. */
async function readLine(): Promise<string> {
  const bytes = new Uint8Array(256);
  while (!END.test(unread) && unread.length < LINE_MAX) {
    const count = await Deno.stdin.read(bytes);
    if (count === null) break;
    unread += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
  const [line = ""] = unread.split(END);
  unread = unread.slice(line.length).replace(END, "");
  return line.trim();
}
