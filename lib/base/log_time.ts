import strftime from "strftime";

/** What Python's strftime and the library both know; the agent's lines are in local time and English. */
const DIRECTIVES = /%[aAbBcCdDeFhHIjklmMnpPrRsStTuUwWxXyYzZ%]/g;

/** The first directive of a `log.dateformat` that cannot be printed, or null. */
export function strangeDirective(format: string): string | null {
  const rest = format.replaceAll(DIRECTIVES, "");
  const [found] = /%.?/s.exec(rest) ?? [];
  return found ?? null;
}

/** `log.dateformat` in local time; null is Python's own form, `2026-01-31 12:00:00,007`. */
export function logTime(format: string | null, epochMs: number): string {
  const at = new Date(epochMs);
  if (format !== null) return strftime(format, at);
  return `${strftime("%Y-%m-%d %H:%M:%S", at)},${String(at.getMilliseconds()).padStart(3, "0")}`;
}
