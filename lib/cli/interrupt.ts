import type { Output } from "./output.ts";

/** Until it is disposed Ctrl-C says `text` on stderr before it ends the program, by its signal as always. */
export function sayAtInterrupt({ err }: Pick<Output, "err">, text: string): Disposable {
  const free = (): void => Deno.removeSignalListener("SIGINT", say);
  const say = (): void => {
    free();
    void err(text).finally(() => Deno.kill(Deno.pid, "SIGINT")); // nobody listens any more
  };
  Deno.addSignalListener("SIGINT", say);
  return { [Symbol.dispose]: free };
}
