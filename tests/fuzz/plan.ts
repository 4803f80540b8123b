import { Random } from "../sim/random.ts";

/** What can be done to a process. `server`: agent and postmaster killed at once, as if the host lost its power. */
export const DEEDS = [
  "stop agent",
  "kill agent",
  "stop switch",
  "kill switch",
  "stop postmaster",
  "kill postmaster",
  "kill server",
  "stop etcd",
  "kill etcd",
] as const;

/** One of them. */
export type Deed = typeof DEEDS[number];

/** One interruption, in milliseconds since the beginning. */
export interface Event {
  readonly atMs: number;
  readonly deed: Deed;
  /** A member, or a member of etcd. */
  readonly target: string;
  /** After this time the process goes on, or is started again by us; of no meaning where its agent does that. */
  readonly forMs: number;
}

const MEMBERS: readonly string[] = ["a", "b", "c"];
const ETCD: readonly string[] = ["e0", "e1", "e2"];
/** A killed switch has a successor, and an agent that is back has seen its own, after this time. */
const REARM_MS = 3_000;
const CALM_SHARE = 0.12;
const TRIES = 20;

/**
 * The interruptions of one seed, the same on every machine. Agent and switch of one member are never hit together:
 * that is the one case in which nothing but a kernel watchdog protects, and no client could be promised anything.
 */
export function planOf(seed: number, count: number): readonly Event[] {
  const random = new Random(seed);
  const events: Event[] = [];
  let atMs = 0;
  while (events.length < count) {
    atMs += random.chance(CALM_SHARE) ? random.between(5_000, 8_000) : random.between(200, 1_600);
    const event = possibleEvent(random, atMs, events);
    if (event !== null) events.push(event);
  }
  return events;
}

function possibleEvent(random: Random, atMs: number, before: readonly Event[]): Event | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const event = anyEvent(random, atMs);
    if (!before.some((other) => isInTheWay(other, event))) return event;
  }
  return null;
}

function anyEvent(random: Random, atMs: number): Event {
  const deed = random.pick(DEEDS);
  const target = random.pick(deed.endsWith("etcd") ? ETCD : MEMBERS);
  const heals = deed === "kill switch" || deed === "kill postmaster";
  return { atMs, deed, target, forMs: heals ? 0 : random.between(300, 7_000) };
}

/** True when the earlier event is not over where the later one begins, on the same process or its protector. */
function isInTheWay(earlier: Event, later: Event): boolean {
  if (earlier.target !== later.target) return false;
  const [before, after] = [partsOf(earlier.deed), partsOf(later.deed)];
  const guards = before.includes("switch") || after.includes("switch");
  const isRelated = guards ? touches(before) && touches(after) : meet(before, after);
  return isRelated && earlier.atMs + earlier.forMs + REARM_MS > later.atMs;
}

function touches(parts: readonly string[]): boolean {
  return parts.includes("switch") || parts.includes("agent");
}

function meet(before: readonly string[], after: readonly string[]): boolean {
  return before.some((part) => after.includes(part));
}

/** The processes that a deed hits. */
export function partsOf(deed: Deed): readonly string[] {
  const [, part = ""] = deed.split(" ");
  return part === "server" ? ["agent", "postmaster"] : [part];
}
