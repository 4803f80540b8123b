import type { PromiseRequest } from "../../lib/core/failsafe.ts";
import type { Promises } from "../../lib/runtime/promises.ts";
import type { ConsentAnswer } from "../../lib/runtime/peers.ts";
import type { Steps } from "./schedule.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

/** Deliberate faults of failsafe mode outside the rules; the simulator must find each. */
export interface FailsafeFaults {
  /** More than half of the members suffice. */
  readonly majorityConsents?: boolean;
  /** What the members consent to counts from their answers. */
  readonly consentCountsFromAnswer?: boolean;
  /** A promise is given and not kept. */
  readonly forgetsPromise?: boolean;
  /** A look that began before the promise may end it. */
  readonly forgetsByOldLook?: boolean;
  /** A promise is forgotten by answers from before it was given. */
  readonly forgetsByOldAnswers?: boolean;
  /** A new process does not ask itself what the one before has promised. */
  readonly startsUnbound?: boolean;
  /** Who holds the lock or asks for it promises it all the same. */
  readonly consentsWhileReaching?: boolean;
}

/** What a member keeps of its promises, as the product has it. */
export type PromiseKeeper = Pick<
  Promises,
  "view" | "whyNotTake" | "give" | "looked" | "asksOthers" | "forget"
>;

/** The question of failsafe mode, and how long one try of it may take. */
export interface ConsentRound {
  readonly members: readonly string[];
  readonly request: PromiseRequest;
  readonly tryMs: number;
}

/**
 * All members are asked at once, who does not answer a second time. A question may be lost, or its answer, or be late; a
 * stalled member finds it when it goes on.
 */
export function* askConsents(
  node: SimNode,
  { members, request, tryMs }: ConsentRound,
  world: World,
): Steps<readonly ConsentAnswer[]> {
  const answers = new Map<string, ConsentAnswer>();
  for (const name of members) {
    world.scheduler.spawn(askOne({ node, name, request, tryMs }, world, answers), node.host);
  }
  // Looked for often at first; a round ends with the second try of the last.
  for (const pauseMs of [20, 30, 50, tryMs - 90, 90, tryMs]) {
    if (answers.size === members.length) break;
    yield Math.max(0, pauseMs);
  }
  return members.map((name) => answers.get(name) ?? silent(name));
}

function silent(name: string): ConsentAnswer {
  return { kind: "refused", name, why: "no answer" };
}

interface Question {
  readonly node: SimNode;
  readonly name: string;
  readonly request: PromiseRequest;
  readonly tryMs: number;
}

function* askOne(
  question: Question,
  world: World,
  answers: Map<string, ConsentAnswer>,
): Steps<void> {
  const answer = (yield* tryOne(question, world)) ?? (yield* tryOne(question, world));
  answers.set(question.name, answer ?? silent(question.name));
}

/** One request; null without an answer in time. */
function* tryOne(
  { node, name, request, tryMs }: Question,
  world: World,
): Steps<ConsentAnswer | null> {
  const { network, random, scheduler } = world;
  const peer = world.node(name);
  if (peer === null || !world.linked(node.name, name)) {
    yield tryMs;
    return null;
  }
  if (!peer.alive) {
    yield 1;
    return null;
  }
  const isSlow = network.slowPeers.has(node.name) || network.slowPeers.has(name);
  // A question that its asker has given up may still be read.
  const isLate = isSlow && random.chance(0.3);
  const thereMs = random.between(1, 15) * (isLate ? 500 : isSlow ? 80 : 1);
  const backMs = random.between(1, 15) * (isSlow ? 80 : 1);
  const drops = (network.lossyPeers.has(node.name) || network.lossyPeers.has(name)) &&
    random.chance(0.4);
  const box: { answer: ConsentAnswer | null } = { answer: null };
  if (!drops || random.chance(0.7)) {
    scheduler.spawn(handle(peer, request, (answer) => box.answer = answer), peer.host, thereMs);
  }
  const tripMs = thereMs + backMs;
  yield drops ? tryMs : Math.min(tripMs, tryMs);
  if (!drops && box.answer === null && tripMs < tryMs) yield tryMs - tripMs;
  return drops || tripMs > tryMs ? null : box.answer;
}

function* handle(
  peer: SimNode,
  request: PromiseRequest,
  answer: (answer: ConsentAnswer) => void,
): Steps<void> {
  const { name } = peer;
  const why = peer.consent(request);
  answer(
    why === null ? { kind: "consented", name, lsn: peer.server.head.lsn } : {
      kind: "refused",
      name,
      why,
    },
  );
  yield 0;
}
