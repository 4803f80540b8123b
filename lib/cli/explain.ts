import { ConfigError } from "../base/errors.ts";
import { isJsonObject } from "../base/json.ts";
import type { Outcome } from "../core/action.ts";
import { decodeJson, encodeJson } from "../core/codec.ts";
import { decide, explain as explainLadder } from "../core/decide.ts";
import type { RecordedTick } from "../runtime/recorder.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint, type Output } from "./output.ts";
import { type Format, renderTable, type Table } from "./table.ts";

/** Which recording, which tick of it (0 the first, -1 the last), and in which form. */
export interface ExplainOptions {
  readonly path: string;
  readonly tick: number;
  readonly format: Format;
}

/** `agent explain`: runs the ladder again on a recorded tick and tells what each rung said. */
export async function explain(output: Output, options: ExplainOptions): Promise<number> {
  const lines = await readLines(options.path);
  const index = options.tick < 0 ? lines.length + options.tick : options.tick;
  const line = lines[index];
  const tick = line === undefined ? null : readTick(line);
  if (tick === null) {
    const what = line === undefined
      ? `Cannot explain tick ${options.tick}: ${options.path} has ${lines.length}`
      : `Cannot explain tick ${options.tick}: line ${index + 1} of ${options.path} is no record`;
    await output.err(complaint(what, "--tick -1 is the last one, 0 the first."));
    return EXIT.failed;
  }
  const table = ladderTable(tick, { index, count: lines.length });
  const text = options.format === "pretty" ? ladderText(table) : null;
  await output.out(text ?? await renderTable(table, options.format));
  return isSame(tick) ? EXIT.done : EXIT.failed;
}

async function readLines(path: string): Promise<readonly string[]> {
  try {
    return (await Deno.readTextFile(path)).split("\n").filter((line) => line.trim() !== "");
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ConfigError(`Cannot read ${path}: no such file`, [], { cause });
  }
}

/** One recorded round, as far as explaining needs it. */
export type ExplainedTick =
  & Pick<RecordedTick, "view" | "memory" | "decision" | "outcomes">
  & { readonly at: string };

/** The record in a line; null when it is none, e.g. the torn last line of a crashed agent. */
export function readTick(line: string): ExplainedTick | null {
  try {
    const value = decodeJson(line);
    return isRecord(value) ? { ...value, at: timeOf(value) } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

type Recorded = Omit<ExplainedTick, "at">;

/** The recorder is ours, so the outer form is proof enough of the inner one. */
function isRecord(value: unknown): value is Recorded {
  if (!isJsonObject(value)) return false;
  const { view, memory, decision, outcomes } = value;
  return isJsonObject(view) && "cluster" in view && isJsonObject(memory) &&
    isJsonObject(decision) && typeof decision["rule"] === "string" && Array.isArray(outcomes);
}

/** When it was recorded: ISO text or epoch milliseconds. */
function timeOf(value: object): string {
  if ("at" in value && typeof value.at === "string") return value.at;
  if (!("atMs" in value) || typeof value.atMs !== "number") return "unknown time";
  return new Date(value.atMs).toISOString();
}

/** Does the ladder decide today as it did then? */
function isSame({ view, memory, decision }: ExplainedTick): boolean {
  return encodeJson(decide(view, memory)) === encodeJson(decision);
}

/** What each rung said, as a table. */
function ladderTable(
  tick: ExplainedTick,
  { index, count }: { readonly index: number; readonly count: number },
): Table {
  const rungs = explainLadder(tick.view, tick.memory);
  const { rule, why, actions } = tick.decision;
  const isReplayed = isSame(tick);
  const replay = isReplayed ? "the same" : `another one: ${decide(tick.view, tick.memory).rule}`;
  return {
    title: `Tick ${index + 1} of ${count}, ${tick.at}, member ${tick.view.self.name}`,
    columns: [
      { head: "Rule", align: "left" },
      { head: "Answered", align: "left" },
      { head: "Why", align: "left" },
    ],
    rows: rungs.map(({ rule, answered, why }) => [rule, answered ? "yes" : "no", why ?? ""]),
    data: {
      tick: index,
      at: tick.at,
      member: tick.view.self.name,
      rungs: rungs.map(({ rule, answered, why }) => ({ rule, answered, why })),
      decision: { rule, why, actions: actions.map(({ kind }) => kind) },
      outcomes: tick.outcomes.map(({ action, result, reason }) => ({
        action: action.kind,
        result,
        reason,
      })),
      replay: isReplayed ? "same" : "different",
    },
    notes: [
      `Decided then: ${rule}: ${why}`,
      `Actions: ${actions.map(({ kind }) => kind).join(", ") || "none"}`,
      `Outcomes: ${tick.outcomes.map(outcomeText).join(", ") || "none"}`,
      `Decided again now: ${replay}`,
    ],
  };
}

/** One line for each rung with an arrow at the one that answered: the sentences are too long for a table. */
function ladderText({ title, rows, notes }: Table): string {
  const width = Math.max(...rows.map(([rule]) => rule?.length ?? 0));
  const rungs = rows.map(([rule = "", answered, why = ""]) =>
    `${answered === "yes" ? "->" : "  "} ${rule.padEnd(width)}  ${why}`.trimEnd()
  );
  return [title ?? "", "", ...rungs, "", ...notes].map((line) => `${line}\n`).join("");
}

function outcomeText({ action, result, reason }: Outcome): string {
  return reason === null ? `${action.kind} ${result}` : `${action.kind} ${result} (${reason})`;
}
