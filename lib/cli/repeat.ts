import { DcsUnreachable } from "../base/errors.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint } from "./output.ts";

/**
 * Shows something once, or (`everyS` in seconds) again and again until its reader goes away or the program is ended. A
 * store that does not answer is told and asked again.
 */
export async function repeat(
  { output, clock }: Pick<CommandContext, "output" | "clock">,
  everyS: number | null,
  show: () => Promise<number>,
): Promise<number> {
  if (everyS === null) return await show();
  while (!output.isGone()) {
    await output.clear();
    await showOr(output, show);
    if (output.isGone()) break;
    await clock.sleep(everyS * 1000);
  }
  return EXIT.done;
}

async function showOr(
  output: CommandContext["output"],
  show: () => Promise<number>,
): Promise<void> {
  try {
    await show();
  } catch (error) {
    if (!(error instanceof DcsUnreachable)) throw error;
    await output.err(complaint(error.message));
  }
}
