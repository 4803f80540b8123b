import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { Commit } from "../../../scripts/playground/watch.ts";
import { type History, lossesOf, type Violation, violationsOf } from "../../fuzz/check.ts";
import { reignsOf } from "../../fuzz/reigns.ts";
import type { Story } from "./cell.ts";

/** The boot clock goes in steps of this. */
const STEP_MS = 10;
const REARM_MAX_MS = 3_000;
/** How long an old server may go on once its agent is back: stopped, or started again from nothing. */
const BACK_MAX_MS = { SIGSTOP: 3_000, SIGKILL: 6_000 };

/** Fails unless everything is true that was promised for the cell; returns a line of figures. */
export function judge(story: Story): string {
  const { cell, rearmMs } = story;
  if (cell.trouble === "the switch killed before") ok((rearmMs ?? 0) < REARM_MAX_MS, `${rearmMs}`);
  if (cell.state.paused === true) return judgePaused(story);
  if (cell.trouble === "the switch killed with it") return judgeUnguarded(story);
  return judgeGuarded(story);
}

/** The promise: nothing is confirmed after the lease, and nothing that was confirmed is lost. */
function judgeGuarded(story: Story): string {
  const { cell, victim, leader, goneMs, orders } = story;
  const endsMs = orders?.endsMs ?? 0;
  const mine = commitsOfVictim(story);
  // By the time of the confirmation, which is never before the commit: nothing late stays hidden. A reply that is read
  // late could only accuse wrongly, and that only when the client was stuck for the 0.4 s between kill and end.
  const lastMs = mine.at(-1)?.atMs ?? 0;
  ok(lastMs + STEP_MS <= endsMs, `last commit ${lastMs - endsMs} ms after the lease's end`);
  ok(goneMs !== null && goneMs <= endsMs, `server gone at ${goneMs}, lease ended at ${endsMs}`);
  if (cell.state.writes) ok(mine.length > 0, "no write was confirmed after the blow");
  deepEqual(violationsOf(historyOf(story)), []);
  const losses = lossesOf(historyOf(story));
  if (story.hits.every(({ part }) => part === "agent")) deepEqual(losses, []);
  notEqual(leader.name, victim.name);
  const before = lastMs === 0 ? "none after the blow" : `${endsMs - lastMs} ms`;
  return `${figures(story, losses.length)}; last commit before the lease's end: ${before}; ` +
    `server gone ${endsMs - (goneMs ?? 0)} ms before it`;
}

/** The promise: the same server goes on as the only one that writes. */
function judgePaused(story: Story): string {
  const { victim, leader, goneMs, watch, hitMs } = story;
  deepEqual([...new Set(watch.since(hitMs).map(({ member }) => member))], [victim.name]);
  equal(goneMs, null);
  equal(leader.name, victim.name);
  deepEqual(violationsOf(historyOf(story)), []);
  const losses = lossesOf(historyOf(story));
  deepEqual(losses, []);
  return `${figures(story, losses.length)}; it went on alone`;
}

/**
 * Agent and switch are gone: nothing on the host stops the server, and a second primary is to be expected. What is
 * promised: a watchdog device would have reset the host before the lease ended, the old server goes on for a
 * bounded time once its agent is back, and only what it confirmed after its lease may be lost.
 */
function judgeUnguarded(story: Story): string {
  const { cell, victim, leader, orders, revivedMs, resetMs: device } = story;
  const endsMs = orders?.endsMs ?? 0;
  const mine = commitsOfVictim(story);
  if (mine.length > 0) ok(device !== null && device <= endsMs, `reset ${device}, end ${endsMs}`);
  const lastMs = mine.at(-1)?.atMs ?? 0;
  ok(lastMs - revivedMs <= BACK_MAX_MS[cell.signal], `${lastMs - revivedMs} ms after its return`);
  const unexpected = violationsOf(historyOf(story)).filter((one) => !isExpected(one, endsMs));
  deepEqual(unexpected, []);
  notEqual(leader.name, victim.name);
  const { length } = lossesOf(historyOf(story));
  const reset = device === null
    ? "the device never ran"
    : `the device would have reset the host ${endsMs - device} ms before the lease's end`;
  const last = lastMs === 0
    ? "no commit after the blow"
    : `last commit ${lastMs - endsMs} ms after it and ${lastMs - revivedMs} ms after the return`;
  return `${figures(story, length)}; unguarded: ${reset}, ${last}`;
}

function isExpected({ kind, atMs }: Violation, endsMs: number): boolean {
  return (kind === "overlap" || kind === "lost") && atMs > endsMs;
}

function historyOf({ watch, hits, present }: Story): History {
  return { writes: watch.writes, hits, present };
}

/** What its server confirmed since the blow; it does not lead again in its cell. */
function commitsOfVictim({ watch, victim, hitMs }: Story): readonly Commit[] {
  return watch.since(hitMs).filter(({ member }) => member === victim.name);
}

function figures({ watch, healMs, sleeps, rearmMs, hitMs }: Story, lost: number): string {
  const times = watch.since(0).map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((ms, index) => ms - (times[index] ?? ms));
  const longestMs = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  const extras = [
    ...(sleeps > 0 ? [`, sleeps killed ${sleeps}`] : []),
    ...(rearmMs === null ? [] : [`, switch back in ${rearmMs} ms`]),
  ];
  return `${times.length} acknowledged (${
    watch.since(hitMs).length
  } since the blow), lost ${lost}` +
    `, reigns ${reignsOf(watch.writes).length}, gap ${longestMs} ms, healed in ${healMs} ms` +
    extras.join("");
}
