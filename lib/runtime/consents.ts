import type { Clock } from "../base/clock.ts";
import type { Lsn } from "../core/lsn.ts";
import type { Facts } from "./facts.ts";
import type { LeaseKeeper } from "./lease_keeper.ts";
import type { ConsentAnswer, ConsentRequest } from "./peers.ts";
import type { WatchdogGuard } from "./watchdog_guard.ts";

/** Asks members for their consent; one answer for each of them. */
export type AskConsents = (
  request: ConsentRequest,
  signal: AbortSignal,
) => Promise<readonly ConsentAnswer[]>;

/** What a round of consents touches. */
export interface ConsentPorts {
  /** Absent: nobody can be asked, so that nobody consents. */
  readonly askConsents?: AskConsents;
  readonly keeper: Pick<LeaseKeeper, "term" | "lease" | "extend">;
  readonly clock: Clock;
  readonly watchdog?: Pick<WatchdogGuard, "feed">;
}

/** Who asks, and for how long. */
export interface ConsentContext {
  readonly sender: ConsentRequest["sender"];
  /** One round. */
  readonly consentMs: number;
  /** How long the lease lasts with all consents. */
  readonly ttlMs: number;
}

/** How a round ended, and what the members told. */
export interface ConsentRound {
  readonly result: "done" | "refused";
  readonly reason: string | null;
  readonly facts?: Pick<Facts, "consents">;
}

/** Patroni's limit for one try of a member call. */
const TRY_MAX_MS = 2000;
/** What is left of a round beside its two tries. */
const SLACK_MS = 200;

/**
 * One round of failsafe mode: all members are asked, and when every one of them consents, the lease lasts a ttl from
 * before the question. The answers may come after the lock was lost or its time was over: then they change nothing.
 */
export async function consented(
  { members, slots }: Pick<ConsentRequest, "members" | "slots">,
  { askConsents, keeper, clock, watchdog }: ConsentPorts,
  { sender, consentMs, ttlMs }: ConsentContext,
  signal: AbortSignal,
): Promise<ConsentRound> {
  const term = keeper.term();
  const askedMs = clock.bootMs(); // before the question: no member can count from earlier
  const tryMs = Math.max(1, Math.min(TRY_MAX_MS, (consentMs - SLACK_MS) / 2));
  const request = { members, sender, slots, ttlMs, tryMs };
  const answers = await askConsents?.(request, signal) ?? [];
  const refusal = whyNotAll(Object.keys(members), answers);
  if (refusal !== null) return { result: "refused", reason: refusal };
  if (keeper.lease().kind === "held") void watchdog?.feed(askedMs);
  if (!await keeper.extend(term, askedMs + ttlMs)) {
    return { result: "refused", reason: "all members consent, but the lease is over or lost" };
  }
  return { result: "done", reason: null, facts: { consents: positions(answers) } };
}

function whyNotAll(asked: readonly string[], answers: readonly ConsentAnswer[]): string | null {
  const refusals = asked.flatMap((name) => {
    const answer = answers.find((each) => each.name === name);
    if (answer?.kind === "consented") return [];
    return [`${name} does not consent: ${answer?.why ?? "it was not asked"}`];
  });
  return refusals.length === 0 ? null : refusals.join("; ");
}

function positions(answers: readonly ConsentAnswer[]): Readonly<Record<string, Lsn>> {
  const told = answers.flatMap((answer) => {
    return answer.kind === "consented" && answer.lsn !== null ? [[answer.name, answer.lsn]] : [];
  });
  return Object.fromEntries(told);
}
