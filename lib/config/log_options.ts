import { LOG_PARTS, type LogLevel, type LogPart } from "../base/log_event.ts";
import { fieldKind, namesIn } from "../base/log_format.ts";
import { jsonFields, type LogLayout } from "../base/log_layout.ts";
import { nearest } from "../base/nearest.ts";
import type { FileValues } from "./schema.ts";

type LogValues = FileValues["log"];

/** Names by which files that were written for Patroni call what is one part here. */
const PARTS_OF_PATRONI: Readonly<Record<string, LogPart>> = {
  ha: "loop",
  dcs: "lease",
  postgresql: "tasks",
  postmaster: "tasks",
  __main__: "main",
};

/** The layout that `type`, `format`, `dateformat` and `static_fields` ask for. */
export function layoutOf({ type, format, dateformat, static_fields }: LogValues): LogLayout {
  const dateFormat = dateformat ?? null;
  if (type === "json") {
    const fields = typeof format === "string" ? jsonFields(format) : format;
    return { type, fields, dateFormat, staticFields: static_fields };
  }
  // A list has no text between its fields: blanks stand there.
  const text = typeof format === "string"
    ? format
    : format.map(({ field }) => `%(${field})s`).join(" ");
  return { type, format: text, dateFormat };
}

/** Severities by part, and that of all parts when `loggers` names the agent as a whole. */
export function levelsOf(
  { level, loggers }: LogValues,
): { readonly level: LogLevel; readonly partLevels: Readonly<Partial<Record<LogPart, LogLevel>>> } {
  let all = level;
  const partLevels: Partial<Record<LogPart, LogLevel>> = {};
  for (const [name, wanted] of Object.entries(loggers)) {
    const part = partOf(name);
    if (part === "all") all = wanted;
    else if (part !== null) partLevels[part] = wanted;
  }
  return { level: all, partLevels };
}

/** Remarks on what the section asks for and no line can show: places below `log`, with a sentence each. */
export function logRemarks(
  { format, loggers, type, static_fields }: LogValues,
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const names = typeof format === "string" ? namesIn(format) : format.map(({ field }) => field);
  const meaningless = names.filter((name) => fieldKind(name) === "meaningless");
  const strangers = Object.keys(loggers).filter((name) => partOf(name) === null);
  const isIdle = type === "plain" && Object.keys(static_fields).length > 0;
  return [
    ...meaningless.map((name) => ({
      path: ["format"],
      message: `${name} has no counterpart in this program and is printed as -`,
    })),
    ...strangers.map((name) => ({ path: ["loggers", name], message: strangerSentence(name) })),
    ...(isIdle ? [{ path: ["static_fields"], message: "counts only with type: json" }] : []),
  ];
}

function strangerSentence(name: string): string {
  const known = LOG_PARTS.map((part) => `agent.${part}`);
  const near = nearest(name, known);
  const hint = near === null ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
  return `no part of the agent logs under this name, ignored; ${hint}`;
}

/** `agent.api`, `patroni.api` and `api` are one; `agent`, `patroni` and `root` mean all. */
function partOf(name: string): LogPart | "all" | null {
  if (["agent", "patroni", "root"].includes(name)) return "all";
  const [first = ""] = name.replace(/^(agent|patroni)\./, "").split(".");
  return PARTS_OF_PATRONI[first] ?? LOG_PARTS.find((part) => part === first) ?? null;
}
