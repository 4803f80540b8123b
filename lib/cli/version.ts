import { AGENT_VERSION, COMPATIBLE_VERSION } from "../core/version.ts";
import { EXIT } from "./exit_codes.ts";
import type { Output } from "./output.ts";
import { type Format, renderTable } from "./table.ts";

/** `agent version`: this program, the Patroni release it speaks, and what it runs on. */
export async function version(output: Output, format: Format): Promise<number> {
  const parts = [["agent", AGENT_VERSION], ["patroni", COMPATIBLE_VERSION], [
    "deno",
    Deno.version.deno,
  ]];
  if (format === "pretty") {
    await output.out(`agent ${AGENT_VERSION} (as Patroni ${COMPATIBLE_VERSION})\n`);
    return EXIT.done;
  }
  await output.out(
    await renderTable({
      title: null,
      columns: [{ head: "Part", align: "left" }, { head: "Version", align: "left" }],
      rows: parts,
      data: Object.fromEntries(parts),
      notes: [],
    }, format),
  );
  return EXIT.done;
}
