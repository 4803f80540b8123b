import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint } from "./output.ts";
import { confirm } from "./prompt.ts";

/**
 * Asks whether a command may act. Returns 0 for yes (or `--force`), 1 for no, 2 when nobody can be asked; says what
 * comes of it on stderr. `shown` is printed above the question, and only then.
 */
export async function permit(
  { force, output, prompt }: Pick<CommandContext, "force" | "output" | "prompt">,
  question: string,
  shown: () => Promise<string> = () => Promise.resolve(""),
): Promise<number> {
  if (force) return EXIT.done;
  if (!prompt.isTerminal) {
    const next = "Run it in a terminal, or add --force to act without being asked.";
    await output.err(complaint(`Cannot ask "${question}": stdin is no terminal`, next));
    return EXIT.usage;
  }
  const above = await shown();
  if (above !== "") await output.err(above);
  if (await confirm(prompt, question)) return EXIT.done;
  await output.err(complaint("nothing was done"));
  return EXIT.failed;
}
