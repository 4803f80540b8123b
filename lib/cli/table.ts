import type { Json } from "../base/json.ts";
import { type Cells, fitted, records } from "./fit.ts";

/** Forms of a result. */
export const FORMATS = ["pretty", "json", "yaml", "tsv"] as const;

/** One form of a result. */
export type Format = typeof FORMATS[number];

/** A result: rows for people and TSV, data for JSON and YAML. */
export interface Table {
  /** Line above the pretty form, null for none. */
  readonly title: string | null;
  readonly columns: readonly { readonly head: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly string[])[];
  readonly data: Json;
  /** Lines below the pretty form. */
  readonly notes: readonly string[];
  /** The pretty form shows columns that are empty, too. */
  readonly isWide?: boolean;
}

/**
 * The text of a table in one form, with its last line break. The libraries are loaded only when they are needed.
 * `width`: columns of the terminal that the pretty form must fit, null: of any width, a row is a line. What does not fit
 * has its cells in several lines, or, where words are too long, its rows one below the other.
 */
export async function renderTable(
  table: Table,
  format: Format,
  width: number | null = null,
): Promise<string> {
  if (format === "json") return `${escaped(JSON.stringify(table.data, null, 2), "\\u00")}\n`;
  if (format === "tsv") return renderTsv(table);
  if (format === "pretty") return await renderPretty(table, width);
  return await yamlText(table.data);
}

/** Data as YAML. Control characters are escaped, so that the text stays the same on its way to a terminal. */
export async function yamlText(data: Json): Promise<string> {
  const { stringify } = await import("yaml");
  const text = stringify(data, { lineWidth: 0 });
  if (!CONTROL.test(text)) return text;
  const quoted = stringify(data, { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE" });
  return escaped(quoted, "\\x");
}

const CONTROL = /[^\P{Cc}\n]/u;

/** The characters that `visible` would replace stand in quotes only, where an escape means the same. */
function escaped(text: string, escape: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, (character) => {
    return `${escape}${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function renderTsv({ columns, rows }: Table): string {
  const lines = [columns.map(({ head }) => head), ...rows];
  return lines.map((cells) => `${cells.map(tsvCell).join("\t")}\n`).join("");
}

function tsvCell(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

async function renderPretty(
  { title, columns, rows, notes, isWide }: Table,
  width: number | null,
): Promise<string> {
  const shown = columns.map((_, index) => index).filter((index) =>
    isWide === true || rows.length === 0 || rows.some((row) => row[index] !== "")
  );
  const pick = (cells: readonly string[]): string[] => shown.map((index) => cells[index] ?? "");
  const head = pick(columns.map(({ head }) => head));
  const cells = [head, ...rows.map(pick)];
  const fitting = width === null ? cells : fitted(cells, width);
  const body = fitting === null
    ? records(cells, width ?? 0, isWide === true)
    : await grid(fitting, shown.map((index) => columns[index]?.align ?? "left"));
  const above = title === null ? [] : [title];
  return [...above, body, ...notes].map((line) => `${line}\n`).join("");
}

async function grid(
  [head = [], ...rows]: Cells,
  colAligns: ("left" | "right")[],
): Promise<string> {
  const { default: PrettyTable } = await import("cli-table3");
  const table = new PrettyTable({
    head: [...head],
    colAligns,
    chars: ASCII,
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

// Plain characters: they survive every terminal, pager and ticket.
const ASCII = {
  ...{ "top": "-", "top-mid": "+", "top-left": "+", "top-right": "+" },
  ...{ "bottom": "-", "bottom-mid": "+", "bottom-left": "+", "bottom-right": "+" },
  ...{ "left": "|", "left-mid": "+", "mid": "-", "mid-mid": "+", "right": "|", "right-mid": "+" },
  "middle": "|",
};
