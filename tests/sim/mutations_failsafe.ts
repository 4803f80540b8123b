import type { Decision } from "../../lib/core/action.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import type { ConsentAnswer } from "../../lib/runtime/peers.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import type { ShellMutation } from "./mutations_shell.ts";
import type { FaultKind, Planted } from "./plan.ts";
import { spoilt } from "./promises.ts";
import type { Sabotage } from "./shell/sabotage.ts";

const CUT: readonly FaultKind[] = ["store-cut", "store-down", "peer-cut"];
const REACHING: readonly FaultKind[] = ["store-cut", "peer-slow", "stall-in-task", "slow-server"];
const OLD_LOOKS: readonly FaultKind[] = ["store-cut", "store-slow", "handover"];
const OFTEN_MS = 4000;
const LATE_MS = 4000;
const SOON_MS = 10_000;

/** Planted bugs of failsafe mode. */
export const FAILSAFE_MUTATIONS: readonly Mutation[] = [
  planted("a majority of consents suffices", CUT, { majorityConsents: true }),
  planted("consents count from the answers", [...CUT, "peer-lost", "peer-slow", "slow-server"], {
    consentCountsFromAnswer: true,
  }),
  planted("a promise is forgotten at once", ["store-cut"], { forgetsPromise: true }),
  {
    ...planted("a promise is ended by a look from before it", OLD_LOOKS, {
      forgetsByOldLook: true,
    }),
    everyMs: 1500,
    firstSeed: 300,
    shortLease: true,
  },
  {
    ...planted(
      "the lock is taken with an old list of failsafe mode",
      ["store-cut", "stall-in-task", "handover"],
      { takesUnderAnyList: true },
    ),
    firstSeed: 70,
  },
  {
    ...planted(
      "the lock is taken by a look from before another one led",
      ["stall-in-task", "agent-shutdown"],
      { takesByAnyLook: true },
    ),
    guard: "switch",
    everyMs: 4000,
  },
  {
    ...planted(
      "a promise is forgotten by answers from before it",
      ["store-down", "store-slow"],
      { forgetsByOldAnswers: true },
    ),
    everyMs: 2500,
    firstSeed: 60,
    shortLease: true,
  },
  planted("a new agent is not bound by what it may have promised", ["store-cut", "agent-kill"], {
    startsUnbound: true,
  }),
  {
    ...planted("a leader promises the lock to another one", REACHING, {
      consentsWhileReaching: true,
    }),
    everyMs: 10_000,
  },
  seen("a member races that failsafe mode does not ask", ["store-cut", "agent-kill"], listed),
  {
    ...seen("a definite refusal counts as failsafe mode", ["agent-stall"], undeterred),
    planted: { refusalIsSilence: true },
  },
];

/** The same in the shell of an agent. */
export const FAILSAFE_SHELL_MUTATIONS: readonly ShellMutation[] = [
  sabotaged("an agent needs the consents of a majority only", CUT, { consents: majority }),
  sabotaged("an agent counts consents from the answers", [...CUT, "peer-lost", "slow-server"], {
    keeper: (options) => new Late(options),
  }),
  sabotaged("an agent forgets a promise at once", ["store-cut", "peer-cut"], {
    promises: (promises) => spoilt(promises, { forgetsPromise: true }),
  }),
  sabotaged("a new agent is not bound by the one before", ["store-cut", "agent-kill"], {
    promises: (promises) => spoilt(promises, { startsUnbound: true }),
  }),
  sabotaged("a keeper does not ask for promises before it takes the lock", [
    "store-cut",
    "peer-cut",
  ], {
    keeper: (options) => new LeaseKeeper({ ...options, whyNotTake: () => null }),
    promises: (promises) => ({ ...spoilt(promises, {}), view: () => null }),
  }),
];

function planted(name: string, needs: readonly FaultKind[], faults: Planted): Mutation {
  const everyMs = OFTEN_MS;
  return { name, needs, planted: faults, brain: productBrain, failsafe: true, everyMs };
}

function seen(
  name: string,
  needs: readonly FaultKind[],
  change: (view: NodeView) => NodeView,
): Mutation {
  const decide = (view: NodeView, memory: Memory): Decision =>
    productBrain.decide(change(view), memory);
  return { name, needs, planted: {}, brain: { ...productBrain, decide }, failsafe: true };
}

function sabotaged(name: string, needs: readonly FaultKind[], sabotage: Sabotage): ShellMutation {
  return { name, needs, sabotage, failsafe: true, everyMs: OFTEN_MS };
}

function listed(view: NodeView): NodeView {
  const { cluster, self } = view;
  if (cluster.kind !== "seen" || cluster.failsafe === null) return view;
  const members = { ...cluster.failsafe.members, [self.name]: self.apiUrl };
  return { ...view, cluster: { ...cluster, failsafe: { ...cluster.failsafe, members } } };
}

/** As if the store had not said that another member leads. */
function undeterred(view: NodeView): NodeView {
  const { cluster, nowMs, postgres, self } = view;
  if (cluster.kind !== "seen" || cluster.lock === null || postgres.kind !== "primary") return view;
  if (cluster.lock.holder === self.name) return view;
  const lastSeen = { ...cluster, lock: { ...cluster.lock, holder: self.name } };
  return {
    ...view,
    cluster: { kind: "unreachable", why: "no", lastSeen },
    lease: { kind: "held", endsMs: nowMs + SOON_MS },
  };
}

function majority(answers: readonly ConsentAnswer[]): readonly ConsentAnswer[] {
  const consents = answers.filter(({ kind }) => kind === "consented").length;
  if ((consents + 1) * 2 <= answers.length + 1) return answers;
  return answers.map(({ name }) => ({ kind: "consented", name, lsn: null }));
}

class Late extends LeaseKeeper {
  override extend(term: number, endsMs: number): Promise<boolean> {
    return super.extend(term, endsMs + LATE_MS);
  }
}
