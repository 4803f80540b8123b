import type { Clock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import type { LeaseView, PeerReport, PostgresView, TaskView } from "../../lib/core/node_view.ts";
import type { TaskSpec } from "../../lib/core/action.ts";
import type { Dcs, RenewResult } from "../../lib/dcs/port.ts";
import type { PostgresControl } from "../../lib/postgres/port.ts";
import type { LeaseFile } from "../../lib/runtime/lease_file.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import { LiveMailbox } from "../../lib/runtime/live_mailbox.ts";
import { TaskSlot } from "../../lib/runtime/task_slot.ts";
import type { Job, SlotAnswer, TaskSlotOptions } from "../../lib/runtime/task_slot.ts";
import type { Guard } from "./mutations.ts";
import type { FaultKind } from "./plan.ts";
import type { Sabotage } from "./shell/sabotage.ts";

/** A deliberate fault in the shell of an agent that the second level must find. */
export interface ShellMutation {
  readonly name: string;
  readonly needs: readonly FaultKind[];
  /** Mean pause between faults, 20 s when absent. */
  readonly everyMs?: number;
  readonly sabotage: Sabotage;
  readonly guard?: Guard;
  readonly failsafe?: true;
}

const FAR_MS = 1e15;
const AHEAD_MS = 8000;
const SLEEPY_MS = 10_000;
const LOOKS = 5;
const NO_FILE: LeaseFile = {
  load: () => Promise.resolve(null),
  save: () => Promise.resolve(),
};

/** Planted bugs of keeper, task slot, mailbox, look and act. */
export const SHELL_MUTATIONS: readonly ShellMutation[] = [
  {
    name: "the keeper says held for ever",
    needs: ["store-cut"],
    sabotage: { keeper: (options) => new EverHeld(options) },
  },
  {
    name: "the keeper's clock is ahead of the loop's",
    needs: ["store-cut"],
    sabotage: {
      keeper: (options) => new LeaseKeeper({ ...options, clock: ahead(options.clock) }),
    },
  },
  {
    name: "the keeper believes in a longer lease than the store",
    needs: ["store-cut"],
    sabotage: { keeper: (options) => new LongLease(options) },
  },
  {
    name: "a look at the store may outlast the lease",
    needs: ["store-cut", "store-slow"],
    sabotage: { keeper: (options) => new Unhurried(options) },
  },
  {
    name: "an unanswered renewal is taken for a proof",
    needs: ["store-cut"],
    sabotage: { dcs: trustful },
  },
  {
    name: "a lease that the store has lost counts as alive",
    needs: ["store-cut", "host-kill"],
    sabotage: { dcs: (dcs) => changed(dcs, { keepLeaseAlive: () => Promise.resolve(true) }) },
  },
  {
    name: "the member record is never written",
    needs: [],
    sabotage: {
      dcs: (dcs) =>
        changed(dcs, { writeMember: () => Promise.resolve({ kind: "done", revision: 1n }) }),
    },
  },
  {
    name: "a request that was carried out is not taken out of the store",
    needs: ["handover"],
    sabotage: {
      dcs: (dcs) =>
        changed(dcs, { clearHandover: () => Promise.resolve({ kind: "done", revision: 1n }) }),
    },
  },
  {
    name: "nobody's answer to the question of the race arrives",
    needs: ["host-kill", "handover"],
    sabotage: { peers: (reports) => reports.map(deaf) },
  },
  {
    name: "a stop does not go before a job that runs",
    needs: ["store-cut", "slow-server", "handover"],
    everyMs: 4000,
    sabotage: { tasks: (options) => new Stubborn(options) },
  },
  {
    name: "a job that runs is not shown",
    needs: ["agent-shutdown", "slow-server"],
    everyMs: 3000,
    sabotage: { tasks: (options) => new Blind(options) },
  },
  {
    name: "the loop sleeps longer than a decision allows",
    needs: ["store-cut"],
    sabotage: { mailbox: (clock) => new Sleepy(clock) },
  },
  {
    name: "the server is looked at in every fifth round only",
    needs: ["server-crash", "agent-kill", "handover"],
    sabotage: { postgres: stale },
  },
  {
    name: "the lease of the process before is forgotten",
    needs: ["agent-kill"],
    sabotage: {
      keeper: (options) => new LeaseKeeper({ ...options, file: NO_FILE }),
    },
  },
  {
    name: "a server that does not answer counts as stopped",
    needs: ["server-silent"],
    sabotage: { postgres: silentIsDown },
  },
  {
    name: "a probe without an answer throws",
    needs: ["server-silent"],
    sabotage: { postgres: throwing },
  },
  {
    name: "the shell starts a primary after its time",
    needs: ["stall-in-task", "server-crash"],
    sabotage: { postgres: untimely },
  },
  {
    name: "a stop is not told its moments",
    needs: ["slow-server", "store-cut"],
    sabotage: { postgres: gentle },
  },
  {
    name: "slots are reported as made and are not",
    needs: ["agent-kill"],
    sabotage: {
      postgres: (postgres) =>
        changed(postgres, { syncSlots: () => Promise.resolve({ kind: "done" }) }),
    },
  },
  {
    name: "a follow is reported as done and is not",
    needs: ["agent-kill"],
    sabotage: {
      postgres: (postgres) =>
        changed(postgres, { follow: () => Promise.resolve({ kind: "done" }) }),
    },
  },
];

/** The object with some of its methods replaced. */
function changed<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, key): unknown => {
      const own: unknown = Reflect.get(parts, key) ?? Reflect.get(target, key);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

function trustful(dcs: Dcs): Dcs {
  let last: ClusterView | null = null;
  const renewLock: Dcs["renewLock"] = async (...args): Promise<RenewResult> => {
    const result = await dcs.renewLock(...args);
    if (result.kind === "held") last = result.view;
    return result.kind === "unknown" && last !== null ? { kind: "held", view: last } : result;
  };
  return changed(dcs, { renewLock });
}

function deaf({ name }: PeerReport): PeerReport {
  return { kind: "silent", name, why: "no answer" };
}

function ahead(clock: Clock): Clock {
  return {
    bootMs: () => clock.bootMs() + AHEAD_MS,
    wallMs: () => clock.wallMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    beat: (signal) => clock.beat(signal),
  };
}

function stale(postgres: PostgresControl): PostgresControl {
  let looks = 0;
  let last: PostgresView | null = null;
  return changed(postgres, {
    probe: async (signal): Promise<PostgresView> => {
      const mustLook = last === null || looks++ % LOOKS === 0;
      if (mustLook) last = await postgres.probe(signal);
      return last ?? await postgres.probe(signal);
    },
  });
}

function silentIsDown(postgres: PostgresControl): PostgresControl {
  return changed(postgres, {
    probe: async (signal): Promise<PostgresView> => {
      const view = await postgres.probe(signal);
      return view.kind === "silent" ? downOf(view.systemId) : view;
    },
  });
}

function downOf(systemId: string): PostgresView {
  const state = "in production";
  const control = { systemId, state, timeline: 1, checkpointLsn: LSN_ZERO, minRecovery: null };
  return { kind: "down", control, crashed: true };
}

function throwing(postgres: PostgresControl): PostgresControl {
  return changed(postgres, {
    probe: async (signal): Promise<PostgresView> => {
      const view = await postgres.probe(signal);
      if (view.kind === "silent") throw new DcsUnreachable("not the store at all");
      return view;
    },
  });
}

function untimely(postgres: PostgresControl): PostgresControl {
  return changed(postgres, {
    promote: (_, job) => postgres.promote(FAR_MS, job),
    startPrimary: (_, ...rest) => postgres.startPrimary(FAR_MS, ...rest),
  });
}

function gentle(postgres: PostgresControl): PostgresControl {
  const never = { immediateAtMs: null, killAtMs: null };
  return changed(postgres, {
    stop: (_how, first, _escalation, job) => postgres.stop("fast", first, never, job),
  });
}

class EverHeld extends LeaseKeeper {
  #wasHeld = false;

  override lease(): LeaseView {
    const lease = super.lease();
    this.#wasHeld ||= lease.kind === "held";
    return this.#wasHeld ? { kind: "held", endsMs: FAR_MS } : lease;
  }
}

class LongLease extends LeaseKeeper {
  override lease(): LeaseView {
    const lease = super.lease();
    return lease.kind === "held" ? { ...lease, endsMs: lease.endsMs + AHEAD_MS } : lease;
  }
}

class Unhurried extends LeaseKeeper {
  override stopAtMs(): number | null {
    return null;
  }
}

class Stubborn extends TaskSlot {
  override start(task: TaskSpec, job: Job): SlotAnswer {
    if (this.view().kind === "running") return { kind: "refused", why: "a job runs" };
    return super.start(task, job);
  }
}

/** Without the slot's own refusal, which would hide it: a second job runs beside the first. */
class Blind extends TaskSlot {
  readonly #options: TaskSlotOptions;

  constructor(options: TaskSlotOptions) {
    super(options);
    this.#options = options;
  }

  override view(): TaskView {
    const view = super.view();
    return view.kind === "running" ? { kind: "idle" } : view;
  }

  override start(task: TaskSpec, job: Job): SlotAnswer {
    const isFree = super.view().kind !== "running";
    return isFree ? super.start(task, job) : new TaskSlot(this.#options).start(task, job);
  }
}

class Sleepy extends LiveMailbox {
  override pause(ms: number, signal: AbortSignal): Promise<string | null> {
    return super.pause(Math.max(ms, SLEEPY_MS), signal);
  }

  override wake(): void {}
}
