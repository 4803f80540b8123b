import Table from "cli-table3";
import * as v from "valibot";
import { median } from "./row.ts";
import type { Figure, Measured, Row, Wanted } from "./row.ts";

const measuredSchema = v.record(v.string(), v.array(v.number()));

const reportSchema = v.object({
  agent: measuredSchema,
  patroni: measuredSchema,
  /** What ran, where and when. */
  about: v.record(v.string(), v.string()),
});

/** Everything measured, by program and figure. */
export type Report = v.InferOutput<typeof reportSchema>;

/** The report in a file of an earlier run, or null when there is no such file. */
export async function readReport(path: string): Promise<Report | null> {
  try {
    return v.parse(reportSchema, JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new Error(`Cannot read the report ${path}: ${String(error)}`, { cause: error });
  }
}

/** The report as a table: medians, their ratio, what was wanted. */
export function tableOf(rows: readonly Row[], report: Report): string {
  const table = new Table({
    head: ["figure", "unit", "agent", "Patroni", "ratio", "wanted", ""],
    colAligns: ["left", "left", "right", "right", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const figure of rows.flatMap(({ figures }) => figures)) {
    const [ours, theirs] = [of(report.agent, figure), of(report.patroni, figure)];
    if (ours.length === 0 && theirs.length === 0) continue;
    const ratio = median(ours) / median(theirs);
    const verdict = isMet(figure.wanted, median(ours), ratio);
    table.push([
      figure.title,
      figure.unit,
      spread(ours),
      spread(theirs),
      Number.isFinite(ratio) ? shown(ratio) : "-",
      wish(figure.wanted),
      verdict === null ? "" : verdict ? "met" : "SHORT",
    ]);
  }
  return table.toString();
}

/** Figures that were wanted and are not there yet. */
export function shortfalls(rows: readonly Row[], report: Report): readonly string[] {
  return rows.flatMap(({ figures }) => figures).filter((figure) => {
    const [ours, theirs] = [median(of(report.agent, figure)), median(of(report.patroni, figure))];
    return isMet(figure.wanted, ours, ours / theirs) === false;
  }).map(({ title }) => title);
}

function of(measured: Measured, { name }: Figure): readonly number[] {
  return measured[name] ?? [];
}

/** null: nothing was wanted, or it was not measured. */
function isMet(wanted: Wanted, ours: number, ratio: number): boolean | null {
  if (wanted.kind === "none" || Number.isNaN(ours)) return null;
  if (wanted.kind === "value") return ours <= wanted.atMost;
  if (Number.isNaN(ratio)) return null;
  return "atMost" in wanted ? ratio <= wanted.atMost : ratio >= wanted.atLeast;
}

function wish(wanted: Wanted): string {
  if (wanted.kind === "none") return "";
  if (wanted.kind === "value") return `agent ${wanted.atMost}`;
  return "atMost" in wanted ? `<= ${wanted.atMost}` : `>= ${wanted.atLeast}`;
}

/** The median, and from where to where the values went. */
function spread(values: readonly number[]): string {
  if (values.length === 0) return "-";
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = values.length === 1 ? "" : ` (${shown(least)}..${shown(most)})`;
  return `${shown(median(values))}${range}`;
}

function shown(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
