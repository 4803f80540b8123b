import type { Action, Decision } from "../../lib/core/action.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import type { LeaseSwitch } from "../../lib/runtime/lease_switch.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import type { ShellMutation } from "./mutations_shell.ts";
import type { FaultKind, Planted } from "./plan.ts";

const CLOSE: Action = { kind: "close-watchdog" };
const DISARM: Action = { kind: "disarm-switch" };
const SLOW: readonly FaultKind[] = ["slow-server", "store-cut", "agent-kill"];
const HASTY: readonly FaultKind[] = [
  "slow-server",
  "kill-in-task",
  "watchdog-fails",
  "host-kill",
];
const LATE_MS = 20_000;

/** Planted bugs of what stands outside the agent: the dead-man's switch and the watchdog. */
export const GUARD_MUTATIONS: readonly Mutation[] = [
  planted("the switch is never told of a renewal", ["handover"], { forgetsSwitch: true }),
  planted("the switch is to stop at the end of the lease", ["agent-kill"], { armsLate: true }),
  planted("a lost switch is not replaced", ["switch-lost", "agent-stall"], {
    neverReplacesSwitch: true,
  }),
  planted("an agent does not take up the switch of the one before", ["agent-kill", "store-cut"], {
    dropsSwitch: true,
  }),
  planted("the switch stays at rest after maintenance mode", ["pause", "agent-kill"], {
    staysDisarmed: true,
  }),
  {
    ...planted(
      "maintenance mode lays the switch of the process before to rest unseen",
      ["pause", "slow-server", "kill-in-task", "host-kill"],
      { restsUnseen: true },
    ),
    everyMs: 1500,
    firstSeed: 40,
  },
  {
    ...planted("the watchdog bites after the lease", ["agent-kill"], { lateWatchdog: true }),
    guard: "watchdog",
  },
  {
    ...decided("a leader does not open its watchdog", ["agent-kill"], without("open-watchdog")),
    guard: "watchdog",
  },
  {
    ...decided("a leader lays its switch to rest", ["agent-kill"], (answer, view) => {
      return view.lease.kind === "held" && view.postgres.kind === "primary"
        ? disarming(answer)
        : answer;
    }),
    planted: { disarmsAlways: true },
  },
  forgettingTheOneBefore({
    ...decided("a replica that may still be promoted loses its switch", SLOW, (answer, view) => {
      const isWaiting = view.postgres.kind === "replica" && view.lease.kind !== "held";
      return isWaiting ? disarming(answer) : answer;
    }),
    planted: { disarmsAlways: true },
    everyMs: 5000,
  }),
  forgettingTheOneBefore({
    ...planted("a promotion by the process before counts for nothing", HASTY, {}),
    guard: "both",
    everyMs: 4000,
  }),
  planted("the switch only asks the server to stop", ["slow-server", "agent-kill"], {
    switchOnlyAsks: true,
  }),
  planted("the switch knows one server process only", ["server-crash", "agent-kill"], {
    switchKnowsOneProcess: true,
  }),
  {
    ...planted("the agent's clock stands still while it is stalled", ["agent-stall"], {
      clockStopsInStall: true,
    }),
    guard: "none",
  },
  {
    ...planted("the watchdog is fed by an answer however late", [
      "store-slow",
      "agent-stall",
      "agent-kill",
    ], {
      feedsLate: true,
    }),
    guard: "watchdog",
    everyMs: 10_000,
  },
  {
    ...decided("the watchdog is fed without a proof", ["store-cut"], withoutStop),
    planted: { feedsAlways: true },
    guard: "watchdog",
  },
  {
    ...decided("the watchdog is closed before the stop", ["store-cut"], (answer) => {
      const stops = answer.actions.some(isStop);
      const kept = answer.actions.filter((action) => !isStop(action));
      return stops ? { ...answer, actions: [CLOSE, ...kept] } : answer;
    }),
    guard: "watchdog",
  },
  decided("the switch of a stopped server stays armed", ["handover"], without("disarm-switch")),
];

function planted(name: string, needs: readonly FaultKind[], faults: Planted): Mutation {
  return { name, needs, planted: faults, brain: productBrain, guard: "switch" };
}

function decided(
  name: string,
  needs: readonly FaultKind[],
  change: (answer: Decision, view: NodeView) => Decision,
): Mutation {
  const decide = (view: NodeView, memory: Memory): Decision =>
    change(productBrain.decide(view, memory), view);
  return { name, needs, planted: {}, brain: { ...productBrain, decide }, guard: "switch" };
}

/** What an inherited switch says of the process before is not seen. */
function forgettingTheOneBefore(mutation: Mutation): Mutation {
  const { remember } = mutation.brain;
  const forget = (memory: Memory, view: NodeView): Memory => ({
    ...remember(memory, view),
    promotionFound: false,
  });
  return { ...mutation, brain: { ...mutation.brain, remember: forget } };
}

function isStop(action: Action): boolean {
  return action.kind === "start-task" && action.task.kind === "stop";
}

function withoutStop(answer: Decision): Decision {
  return { ...answer, actions: answer.actions.filter((action) => !isStop(action)) };
}

function disarming(answer: Decision): Decision {
  return { ...answer, actions: [DISARM, ...answer.actions] };
}

function without(kind: Action["kind"]): (answer: Decision) => Decision {
  return (answer) => ({
    ...answer,
    actions: answer.actions.filter((action) => action.kind !== kind),
  });
}

/** Planted bugs between the keeper and the switch. */
export const SHELL_GUARD_MUTATIONS: readonly ShellMutation[] = [
  lying("a renewal counts although the switch was not armed", ["agent-kill"], (real) => ({
    ...real,
    renew: () => Promise.resolve(true),
  })),
  lying("the switch is given a later end of the lease", ["agent-kill"], (real) => ({
    ...real,
    renew: (endsMs) => real.renew(endsMs + LATE_MS),
  })),
  lying("the switch is laid to rest after each renewal", ["agent-kill"], (real) => ({
    ...real,
    renew: async (endsMs) => await real.renew(endsMs) && await real.disarm(),
  })),
  lying("the switch is armed once and never moved on", ["handover"], (real) => ({
    ...real,
    renew: (endsMs) => real.view() === null ? real.renew(endsMs) : Promise.resolve(true),
  })),
  lying(
    "the switch is not armed again after maintenance mode",
    ["pause", "agent-kill"],
    restingForEver,
  ),
];

function lying(
  name: string,
  needs: readonly FaultKind[],
  change: (real: LeaseSwitch) => LeaseSwitch,
): ShellMutation {
  return {
    name,
    needs,
    guard: "switch",
    sabotage: {
      keeper: (options) => new LeaseKeeper({ ...options, deadMan: change(options.deadMan) }),
    },
  };
}

function restingForEver(real: LeaseSwitch): LeaseSwitch {
  let hasRested = false;
  return {
    ...real,
    renew: (endsMs) => hasRested ? Promise.resolve(true) : real.renew(endsMs),
    rest: () => {
      hasRested = true;
      return real.rest();
    },
  };
}
