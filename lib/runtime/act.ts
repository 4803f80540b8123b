import type { Clock } from "../base/clock.ts";
import { DcsUnreachable } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { unreachable } from "../base/never.ts";
import type { Action, Outcome, TaskSpec } from "../core/action.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { NodeView, PeerReport } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import type { Dcs, Look } from "../dcs/port.ts";
import type { PostgresControl } from "../postgres/port.ts";
import type { BackgroundJobs } from "./background.ts";
import { inTime, withinClock } from "./clock_deadline.ts";
import type { Facts } from "./facts.ts";
import type { LeaseKeeper } from "./lease_keeper.ts";
import { consented } from "./consents.ts";
import type { AskConsents } from "./consents.ts";
import type { Promises } from "./promises.ts";
import { jobFor } from "./task_jobs.ts";
import type { TaskSlot } from "./task_slot.ts";
import type { WatchdogGuard } from "./watchdog_guard.ts";

/** Asks members over REST; one report for each of them. */
export type AskPeers = (
  members: readonly MemberState[],
  signal: AbortSignal,
) => Promise<readonly PeerReport[]>;

/** Everything that actions may touch. */
export interface ActPorts {
  readonly name: string;
  readonly dcs: Dcs;
  readonly keeper: LeaseKeeper;
  readonly postgres: PostgresControl;
  readonly tasks: TaskSlot;
  readonly background: BackgroundJobs;
  readonly askPeers: AskPeers;
  /** Absent: nobody can be asked, so that nobody consents. */
  readonly askConsents?: AskConsents;
  /** Absent: this member never promises. */
  readonly promises?: Pick<Promises, "forget" | "asksOthers">;
  /** Absent: none is wanted. */
  readonly watchdog?: Pick<WatchdogGuard, "open" | "close" | "feed">;
  readonly clock: Clock;
  /** `bootstrap.dcs`: the first content of `config`. */
  readonly firstConfig: JsonObject;
}

/** What the present round knows, and the time its requests may take. */
export interface ActContext {
  readonly view: NodeView;
  readonly settings: Settings;
  /** Members of the last view with a leader and of the present one, each name once. */
  readonly competitors: readonly MemberState[];
  readonly storeMs: number;
  readonly serverMs: number;
  /** One round of consents. */
  readonly consentMs: number;
  /** How long after its time work may still come to its own end. */
  readonly patienceMs: number;
  /** The ttl in force now. */
  readonly ttlMs: number;
}

/** How an action ended, and what it brought to light for the rest of the tick. */
export interface Answer {
  readonly result: Outcome["result"];
  readonly reason: string | null;
  readonly facts?: Partial<Facts>;
}

/** Carries out one action. It decides nothing; what may outlast a tick is started, not awaited. */
export async function act(
  action: Action,
  ports: ActPorts,
  context: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const { consentMs, patienceMs, serverMs, storeMs } = context;
    const ms = action.kind === "ask-consents" ? consentMs : Math.max(storeMs, serverMs);
    const limits = { ms, patienceMs };
    const answered = await inTime(ports.clock, limits, signal, async (deadline) => {
      if (action.kind === "ask-consents") {
        const { view, ttlMs } = context;
        return await consented(action, ports, { sender: view.self, consentMs, ttlMs }, deadline);
      }
      using store = withinClock(ports.clock, storeMs, deadline);
      using server = withinClock(ports.clock, serverMs, deadline);
      return await perform(action, ports, context, { store: store.signal, server: server.signal });
    });
    if (answered !== "late") return answered;
    return { result: "unknown", reason: "it did not end in time" };
  } catch (error) {
    if (!(error instanceof DcsUnreachable)) throw error;
    return { result: "unknown", reason: error.message };
  }
}

/** The deadlines of this action's requests. */
interface Signals {
  readonly store: AbortSignal;
  readonly server: AbortSignal;
}

async function perform(
  action: Exclude<Action, { readonly kind: "ask-consents" }>,
  ports: ActPorts,
  context: ActContext,
  signals: Signals,
): Promise<Answer> {
  const { postgres, tasks } = ports;
  const { server: signal } = signals;
  switch (action.kind) {
    case "ask-peers":
      return await ask(action.only ?? null, ports, context, signal);
    case "inspect-leader":
      return { ...DONE, facts: { leader: await postgres.inspectLeader(action.leader, signal) } };
    case "sync-slots":
      return answer(await postgres.syncSlots(action.changes, signal));
    case "apply-settings":
      return answer(await postgres.applySettings(action.settings, signal, action.reload));
    case "checkpoint":
      return checkpoint(ports);
    case "start-task":
      return await startTask(action.task, ports, context, signals.store);
    case "open-watchdog":
      await ports.watchdog?.open();
      return DONE;
    case "close-watchdog":
      await ports.watchdog?.close();
      return DONE;
    case "forget-promise":
      ports.promises?.forget(action.untilMs);
      return DONE;
    case "cancel-task":
      return answer(tasks.cancel());
    case "settle":
    case "exit":
      return DONE; // the loop does the rest when it sees this outcome
    default:
      return await performInStore(action, ports, context, signals.store);
  }
}

type StoreAction = Exclude<Action, { readonly kind: LocalKind }>;
type LocalKind =
  | "ask-peers"
  | "inspect-leader"
  | "sync-slots"
  | "apply-settings"
  | "checkpoint"
  | "ask-consents"
  | "forget-promise"
  | "start-task"
  | "open-watchdog"
  | "close-watchdog"
  | "cancel-task"
  | "settle"
  | "exit";

/** The look at the store that the decision was made with. */
function lookOf({ cluster }: NodeView): Look {
  const seen = cluster.kind === "seen" ? cluster : cluster.lastSeen;
  return seen === null ? {} : { list: seen.failsafe?.revision ?? 0n, revision: seen.revision };
}

async function performInStore(
  action: StoreAction,
  ports: ActPorts,
  context: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  const { name, dcs, keeper } = ports;
  switch (action.kind) {
    case "claim-bootstrap":
      return answer(await dcs.claimBootstrap(await keeper.sessionLease(signal), signal));
    case "disarm-switch":
      return answer(await keeper.disarm(signal));
    case "abandon-bootstrap":
      return answer(await dcs.abandonBootstrap(await keeper.sessionLease(signal), signal));
    case "found-cluster":
      return await found(action.systemId, ports, signal);
    case "take-lock":
      return await take(ports, context, signal);
    case "hold-lock":
      return keeper.hold() ? DONE : { result: "refused", reason: "the lock is not held" };
    case "release-lock":
      return await release(action, ports, context, signal);
    case "clear-handover":
      return answer(await dcs.clearHandover(action.revision, signal));
    case "write-status":
      return answer(await dcs.writeStatus(name, action, signal));
    case "write-history":
      return answer(await dcs.writeHistory(name, action.lines, signal));
    case "write-failsafe":
      return answer(await dcs.writeFailsafe(name, action, signal));
    case "restore-keys":
      return await restore(action, ports, signal);
    default:
      return unreachable(action);
  }
}

const DONE: Answer = { result: "done", reason: null };

function answer(
  result: { readonly kind: "done" } | {
    readonly kind: "refused" | "unknown";
    readonly why: string;
  },
): Answer {
  return result.kind === "done" ? DONE : { result: result.kind, reason: result.why };
}

/** After a refusal somebody may have led since the others were asked: what they said is old. */
async function take(
  { keeper }: ActPorts,
  { view }: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  const answered = answer(await keeper.take(signal, lookOf(view)));
  return answered.result === "refused" ? { ...answered, facts: { peers: "not asked" } } : answered;
}

async function found(systemId: string, ports: ActPorts, signal: AbortSignal): Promise<Answer> {
  const lease = await ports.keeper.sessionLease(signal);
  return answer(await ports.dcs.foundCluster(lease, systemId, ports.firstConfig, signal));
}

async function restore(
  { systemId, config }: Extract<StoreAction, { kind: "restore-keys" }>,
  { name, dcs, firstConfig }: ActPorts,
  signal: AbortSignal,
): Promise<Answer> {
  return answer(await dcs.restoreKeys(name, systemId, config ?? firstConfig, signal));
}

async function ask(
  only: string | null,
  { askPeers, promises }: ActPorts,
  { competitors }: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  const asked = competitors.filter(({ name }) => only === null || name === only);
  promises?.asksOthers();
  return { ...DONE, facts: { peers: await askPeers(asked, signal) } };
}

/** What ends with a writable server begins under the switch; the right to promote or start as primary implies it. */
async function startTask(
  task: TaskSpec,
  { keeper, postgres, tasks }: ActPorts,
  { settings }: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  if (task.kind === "bootstrap" && !await keeper.guardSession(signal)) {
    return { result: "refused", reason: "the dead-man's switch cannot be armed" };
  }
  const isGuarded = (): Promise<boolean> => keeper.isGuarded();
  return answer(tasks.start(task, jobFor(task, { postgres, settings, isGuarded })));
}

/** Authority ends first; then the last position is published while the key is still ours, then the key goes. */
async function release(
  { lastLsn: lsn, handoverRevision }: Extract<Action, { readonly kind: "release-lock" }>,
  { dcs, keeper, name }: ActPorts,
  { view }: ActContext,
  signal: AbortSignal,
): Promise<Answer> {
  keeper.giveUp();
  const known = view.cluster.kind === "seen" ? view.cluster : view.cluster.lastSeen;
  const { slots, retainSlots } = known?.status ?? { slots: {}, retainSlots: [] };
  const told = handoverRevision === undefined ? {} : { handoverRevision };
  if (lsn !== null) await dcs.writeStatus(name, { lsn, slots, retainSlots, ...told }, signal);
  return answer(await keeper.release(signal));
}

/** A checkpoint may write for long; it holds up nothing. */
const CHECKPOINT_MS = 3_600_000;

function checkpoint({ background, postgres, clock }: ActPorts): Answer {
  background.start("checkpoint", async (signal) => {
    using deadline = withinClock(clock, CHECKPOINT_MS, signal);
    return await postgres.checkpoint(deadline.signal);
  });
  return DONE; // also when one runs already: it is the one that was asked for
}
