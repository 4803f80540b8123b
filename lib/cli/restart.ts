import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { memberTable } from "./list.ts";
import { look } from "./look.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import { question, readOptions, type RestartOptions, whyBarred } from "./restart_options.ts";
import { inTurn } from "./restart_turns.ts";
import { conclude } from "./results.ts";
import { select } from "./selection.ts";
import { renderTable } from "./table.ts";

/**
 * `agent restart`: restarts servers one after the other, the leader last, and ends at the first that does not come back:
 * those after it are left alone. Returns 0, 1 refused or failed, 2 wrong usage, 3 when an end is not known. Throws
 * `DcsUnreachable` before anything was sent.
 */
export async function restart(context: CommandContext, options: RestartOptions): Promise<number> {
  const { cluster, output } = context;
  const read = readOptions(options, context.clock.wallMs());
  if (read.kind === "bad") {
    await output.err(complaint(read.what, read.next));
    return EXIT.usage;
  }
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, options);
  if (chosen.kind === "refused") {
    await output.err(complaint(chosen.what, chosen.next));
    return EXIT.failed;
  }
  const members = options.pending
    ? chosen.members.filter(({ pendingRestart }) => pendingRestart)
    : chosen.members;
  if (members.length === 0) {
    await output.err("No member waits for a restart\n");
    return await conclude(context, []);
  }
  const barred = whyBarred(view, members, { isScheduled: read.iso !== null, force: context.force });
  if (barred !== null) {
    await output.err(complaint(barred.what, barred.next));
    return EXIT.failed;
  }
  const shown = (): Promise<string> =>
    renderTable(memberTable(view, cluster.scope), "pretty", output.width());
  const permission = await permit(context, question(view, members, read.iso), shown);
  if (permission !== EXIT.done) return permission;
  return await conclude(context, await inTurn(context, members, { ...read, wait: options.wait }));
}
