import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint, plainLine } from "./output.ts";
import type { RemoteAnswer } from "./remote.ts";
import { renderTable, type Table } from "./table.ts";

/** What came of a command at one member. */
export interface MemberResult {
  readonly member: string;
  readonly result:
    | "done"
    | "scheduled"
    /** The member does not meet the conditions that were given. */
    | "needless"
    | "refused"
    | "unreachable"
    | "unknown"
    | "skipped";
  readonly text: string;
}

/** An answer in words; 200 is done, 202 accepted for later, everything else a refusal. */
export function resultOf(member: string, answer: RemoteAnswer): MemberResult {
  if (answer.kind === "unreachable") {
    return { member, result: "unreachable", text: `cannot be reached: ${plainLine(answer.why)}` };
  }
  if (answer.kind === "lost") {
    return { member, result: "unknown", text: `status unknown: ${plainLine(answer.why)}` };
  }
  const text = plainLine(answer.text);
  if (answer.status === 200) return { member, result: "done", text };
  if (answer.status === 202) return { member, result: "scheduled", text };
  return { member, result: "refused", text: `refused (${answer.status}): ${text}` };
}

/** 3 when one end is not known, else 1 when one did not succeed, else 0. */
function worst(results: readonly MemberResult[]): number {
  if (results.some(({ result }) => result === "unknown")) return EXIT.unknown;
  return results.every(isGood) ? EXIT.done : EXIT.failed;
}

function isGood({ result }: MemberResult): boolean {
  return result === "done" || result === "scheduled" || result === "needless";
}

/** Tells one result as it comes: good ones on stdout, others on stderr; other forms wait for the end. */
export async function tell(
  { output, format }: Pick<CommandContext, "output" | "format">,
  result: MemberResult,
  next?: string,
): Promise<void> {
  const { member, text } = result;
  if (!isGood(result)) return await output.err(complaint(`${member}: ${text}`, next));
  if (format === "pretty") await output.out(`${member}: ${text}\n`);
}

/** The results in the other forms, and the exit code. */
export async function conclude(
  { output, format }: Pick<CommandContext, "output" | "format">,
  results: readonly MemberResult[],
): Promise<number> {
  if (format !== "pretty") await output.out(await renderTable(resultTable(results), format));
  return worst(results);
}

function resultTable(results: readonly MemberResult[]): Table {
  return {
    title: null,
    columns: [
      { head: "Member", align: "left" },
      { head: "Result", align: "left" },
      { head: "Text", align: "left" },
    ],
    rows: results.map(({ member, result, text }) => [member, result, text]),
    data: results.map(({ member, result, text }) => ({ member, result, text })),
    notes: [],
  };
}

/** What helps against an answer, when that is known. */
export function adviceOn(answer: RemoteAnswer): string | undefined {
  if (answer.kind === "unreachable") return "Nothing was sent. Check the agent there, then repeat.";
  if (answer.kind === "lost") return "Look with agent list before you repeat it.";
  if (answer.status === 401 || answer.status === 403) {
    return "Check ctl.authentication or restapi.authentication in the configuration file.";
  }
  return undefined;
}
