import type { Action } from "../../lib/core/action.ts";
import { consentBudgetMs } from "../../lib/runtime/budget.ts";
import type { ConsentAnswer } from "../../lib/runtime/peers.ts";
import { askConsents } from "./consents.ts";
import type { Node } from "./node.ts";
import { pressureOf } from "./promises.ts";
import type { Steps } from "./schedule.ts";
import type { Verdict } from "./store.ts";
import type { World } from "./world.ts";

const TRY_MAX_MS = 2000;
const SLACK_MS = 200;

/** One round of failsafe mode, in the way of `lib/runtime/consents.ts`. */
export function* askForConsents(
  { members, slots }: Extract<Action, { readonly kind: "ask-consents" }>,
  node: Node,
  world: World,
): Steps<Verdict> {
  const { keeper, name, timing, watchdog } = node;
  const { planted } = world.plan;
  const term = keeper.claim.term();
  const askedMs = node.bootMs();
  const tryMs = Math.max(
    1,
    Math.min(TRY_MAX_MS, (consentBudgetMs(pressureOf(world, node)) - SLACK_MS) / 2),
  );
  const request = { name, slots, ttlMs: timing.ttlMs };
  const answers = yield* askConsents(
    node,
    { members: Object.keys(members), request, tryMs },
    world,
  );
  const refusal = whyNot(answers, planted.majorityConsents === true);
  if (refusal !== null) return { kind: "refused", why: refusal };
  if (keeper.claim.lease().kind === "held") watchdog.feed(askedMs, node.bootMs());
  const fromMs = planted.consentCountsFromAnswer ? node.bootMs() : askedMs;
  if (!keeper.guard.extend(term, fromMs + timing.ttlMs)) {
    return { kind: "refused", why: "the lease is over or lost" };
  }
  world.faults.count("consented");
  node.consents = positions(answers);
  return { kind: "done" };
}

function whyNot(answers: readonly ConsentAnswer[], majoritySuffices: boolean): string | null {
  const refusals = answers.flatMap((answer) =>
    answer.kind === "refused" ? [`${answer.name}: ${answer.why}`] : []
  );
  // The asker counts itself.
  const isEnough = majoritySuffices && refusals.length * 2 < answers.length + 1;
  return refusals.length === 0 || isEnough ? null : refusals.join("; ");
}

function positions(answers: readonly ConsentAnswer[]): Node["consents"] {
  return Object.fromEntries(
    answers.flatMap((answer) =>
      answer.kind === "consented" && answer.lsn !== null ? [[answer.name, answer.lsn]] : []
    ),
  );
}
