import type { History, Violation } from "./check.ts";
import type { Event } from "./plan.ts";
import { reignsOf } from "./reigns.ts";

const BEFORE_MS = 15_000;
const AFTER_MS = 2_000;

/** One line for each event of a plan. */
export function listOf(events: readonly Event[]): string {
  return events.map(({ atMs, deed, target, forMs }) =>
    line(atMs, `${deed} of ${target}${forMs > 0 ? ` for ${(forMs / 1000).toFixed(1)} s` : ""}`)
  ).join("\n");
}

/** What happened around the first violation: hits, reigns, and the violations themselves, in seconds since the start. */
export function storyOf(
  { writes, hits }: History,
  violations: readonly Violation[],
  startMs: number,
): string {
  const aroundMs = violations[0]?.atMs ?? startMs;
  const told = [
    ...hits.flatMap(({ member, part, how, fromMs, toMs }) => [
      { atMs: fromMs, text: `${how} ${part} of ${member}` },
      { atMs: toMs, text: `${part} of ${member} goes on` },
    ]),
    ...reignsOf(writes).flatMap(({ member, timeline, firstMs, lastMs, writes: { length } }) => [
      { atMs: firstMs, text: `first write on ${member}, timeline ${timeline}` },
      { atMs: lastMs, text: `last write on ${member}, timeline ${timeline}: ${length} in all` },
    ]),
    ...violations.slice(0, 5).map(({ atMs, kind, what }) => ({ atMs, text: `${kind}: ${what}` })),
  ];
  return told
    .filter(({ atMs }) => atMs >= aroundMs - BEFORE_MS && atMs <= aroundMs + AFTER_MS)
    .sort((one, other) => one.atMs - other.atMs)
    .map(({ atMs, text }) => line(atMs - startMs, text))
    .join("\n");
}

function line(ms: number, text: string): string {
  return `${(ms / 1000).toFixed(2).padStart(8)} s  ${text}`;
}
