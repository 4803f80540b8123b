import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { complaint } from "./output.ts";
import { renderTable } from "./table.ts";

/** `agent show-config`: the content of the `config` key, as YAML when no form is wished. Throws `DcsUnreachable`. */
export async function showConfig({ cluster, output, format }: CommandContext): Promise<number> {
  const { config } = await look(cluster);
  if (config === null) {
    await output.err(complaint(noConfig(cluster.scope), NO_CONFIG_NEXT));
    return EXIT.failed;
  }
  const table = {
    title: null,
    columns: ["Key", "Value"].map((head) => ({ head, align: "left" } as const)),
    rows: leaves(config.raw, ""),
    data: config.raw,
    notes: [],
  };
  await output.out(await renderTable(table, format === "pretty" ? "yaml" : format));
  return EXIT.done;
}

/** Why there is nothing to show or edit. */
export function noConfig(scope: string): string {
  return `the cluster "${scope}" has no configuration that can be read`;
}

/** What helps then. */
export const NO_CONFIG_NEXT = "agent list shows whether the cluster was founded.";

function leaves(object: JsonObject, prefix: string): readonly (readonly string[])[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const key = `${prefix}${name}`;
    return isJsonObject(value) ? leaves(value, `${key}.`) : [[key, cell(value)]];
  });
}

function cell(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
