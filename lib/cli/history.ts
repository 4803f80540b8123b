import type { HistoryLine } from "../core/cluster_view.ts";
import { printLsn } from "../core/lsn.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { renderTable, type Table } from "./table.ts";

/** `agent history`: every change of the leader, oldest first. Throws `DcsUnreachable`. */
export async function history({ cluster, output, format }: CommandContext): Promise<number> {
  const view = await look(cluster);
  await output.out(await renderTable(historyTable(view.history ?? []), format, output.width()));
  return EXIT.done;
}

/** The lines of the `history` key as a table. */
function historyTable(lines: readonly HistoryLine[]): Table {
  return {
    title: null,
    columns: [
      { head: "TL", align: "right" },
      { head: "LSN", align: "right" },
      { head: "Reason", align: "left" },
      { head: "Timestamp", align: "left" },
      { head: "New Leader", align: "left" },
    ],
    rows: lines.map(({ timeline, lsn, reason, at, newLeader }) => [
      String(timeline),
      printLsn(lsn),
      reason,
      at ?? "",
      newLeader ?? "",
    ]),
    data: lines.map(({ timeline, lsn, reason, at, newLeader }) => ({
      timeline,
      lsn: printLsn(lsn),
      reason,
      timestamp: at,
      new_leader: newLeader,
    })),
    notes: [],
  };
}
