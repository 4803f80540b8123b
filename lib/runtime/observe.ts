import type { Clock } from "../base/clock.ts";
import { DcsUnreachable } from "../base/errors.ts";
import type { ClusterUnreachable, ClusterView } from "../core/cluster_view.ts";
import type { LeaseView, NodeView, PostgresView, SelfView } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import type { SwitchFiring } from "../core/switch_status.ts";
import type { PostgresControl } from "../postgres/port.ts";
import { patienceMs, serverBudgetMs, storeBudgetMs } from "./budget.ts";
import type { Pressure } from "./budget.ts";
import { inTime } from "./clock_deadline.ts";
import type { Facts } from "./facts.ts";
import type { LeaseKeeper } from "./lease_keeper.ts";
import type { LiveMailbox } from "./live_mailbox.ts";
import type { Promises } from "./promises.ts";
import type { TaskSlot } from "./task_slot.ts";
import type { WatchdogGuard } from "./watchdog_guard.ts";

/** Where a view is gathered from. */
export interface ObservePorts {
  readonly self: SelfView;
  readonly keeper: Pick<LeaseKeeper, "view" | "lease" | "guarded">;
  readonly postgres: Pick<PostgresControl, "probe">;
  readonly tasks: Pick<TaskSlot, "view">;
  readonly mailbox: Pick<LiveMailbox, "wishes">;
  /** The last signal that the switch sent; absent: there is no switch that tells. */
  readonly lastFiring?: () => SwitchFiring | null;
  /** What this member has promised in failsafe mode; absent: it never promises. */
  readonly promises?: Pick<Promises, "view" | "looked">;
  /** Whether an agent has ever led from this directory; absent: it may have. */
  readonly isManaged?: () => boolean;
  /** Absent: none is wanted. */
  readonly watchdog?: Pick<WatchdogGuard, "look">;
  readonly clock: Clock;
}

/** What the loop gives to one look. */
export interface LookContext {
  readonly facts: Facts;
  readonly lastSeen: ClusterView | null;
  /** The server of the look before; null at the first. */
  readonly lastServer: PostgresView | null;
  readonly pressure: Pressure;
  /** In force as long as no `config` was ever seen: a cluster is founded with what it will then have. */
  readonly settingsWithoutConfig: Settings | null;
}

/**
 * One look at everything: store and server in parallel, each under its deadline. The task is read before the server,
 * so that the end of a job is never seen together with a server from before it; lease and clock come last.
 */
export async function observe(
  ports: ObservePorts,
  context: LookContext,
  signal: AbortSignal,
): Promise<NodeView> {
  const { self, keeper, postgres, tasks, mailbox, clock } = ports;
  const task = tasks.view();
  const { pressure } = context;
  const limits = { ms: serverBudgetMs(pressure), patienceMs: patienceMs(pressure) };
  const [cluster, server, watchdog] = await Promise.all([
    readCluster(ports, context, signal),
    inTime(clock, limits, signal, (deadline) => postgres.probe(deadline)),
    ports.watchdog?.look(),
  ]);
  const wishes = mailbox.wishes();
  const lease = leaseOf(ports);
  const wallMs = clock.wallMs();
  const { peers, leader, consents } = context.facts;
  return {
    self,
    nowMs: clock.bootMs(),
    wallMs,
    cluster,
    postgres: server === "late" ? unanswered(context.lastServer) : server,
    task,
    lease,
    armed: keeper.guarded(),
    peers,
    leader,
    wishes,
    firing: ports.lastFiring?.() ?? null,
    promise: ports.promises?.view() ?? null,
    ...(consents === undefined ? {} : { consents }),
    ...(watchdog === undefined ? {} : { watchdog }),
  };
}

function leaseOf({ keeper, isManaged }: ObservePorts): LeaseView {
  const lease = keeper.lease();
  return lease.kind === "none" && isManaged?.() === false
    ? { ...lease, neverManaged: true }
    : lease;
}

async function readCluster(
  { keeper, clock, promises }: ObservePorts,
  { lastSeen, pressure, settingsWithoutConfig }: LookContext,
  signal: AbortSignal,
): Promise<ClusterView | ClusterUnreachable> {
  const askedMs = clock.bootMs();
  try {
    const limits = { ms: storeBudgetMs(pressure), patienceMs: patienceMs(pressure) };
    const view = await inTime(clock, limits, signal, (one) => keeper.view(one));
    if (view === "late") return { kind: "unreachable", why: "no answer in time", lastSeen };
    promises?.looked(view, askedMs);
    const settings = view.config === null && settingsWithoutConfig !== null
      ? settingsWithoutConfig
      : view.settings;
    return { ...view, settings };
  } catch (error) {
    if (!(error instanceof DcsUnreachable)) throw error;
    return { kind: "unreachable", why: error.message, lastSeen };
  }
}

/** A look that did not come back: the server counts as what it was, and as a primary unless it was a replica. */
function unanswered(last: PostgresView | null): PostgresView {
  const why = "the look at the server did not end in time";
  const wasReplica = last?.kind === "replica" || (last?.kind === "starting" && last.asReplica) ||
    (last?.kind === "silent" && last.lastRole === "replica");
  const lastRole = wasReplica ? "replica" : "primary";
  return { kind: "silent", systemId: systemIdOf(last), lastRole, why };
}

function systemIdOf(last: PostgresView | null): string {
  if (last === null || last.kind === "no-data" || last.kind === "unreadable") return "";
  return last.kind === "down" ? last.control.systemId : last.systemId;
}
