import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import type { Action, Decision, Outcome } from "../core/action.ts";
import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import type { CallbackFacts } from "../core/callbacks.ts";
import { decide } from "../core/decide.ts";
import { consenters } from "../core/failsafe.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import { evolve, initialMemory, remember } from "../core/memory.ts";
import type { Memory } from "../core/memory.ts";
import type { NodeView, OperatorWish, PostgresView } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import { act } from "./act.ts";
import type { ActContext, ActPorts } from "./act.ts";
import { consentBudgetMs, patienceMs, serverBudgetMs, storeBudgetMs } from "./budget.ts";
import type { Pressure } from "./budget.ts";
import { inTime } from "./clock_deadline.ts";
import { NOTHING_ASKED } from "./facts.ts";
import type { Facts } from "./facts.ts";
import { HeartbeatLog } from "./heartbeat_log.ts";
import type { LiveBoard } from "./live_board.ts";
import type { LiveMailbox } from "./live_mailbox.ts";
import { MemberWriter } from "./member_writer.ts";
import { observe } from "./observe.ts";
import type { LookContext, ObservePorts } from "./observe.ts";
import type { Recorder } from "./recorder.ts";
import { TickLimit } from "./tick_limit.ts";

/** Everything the loop is made of. */
export interface AgentOptions {
  readonly ports: ActPorts & ObservePorts;
  readonly mailbox: LiveMailbox;
  readonly board: LiveBoard;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** How long an unchanged heartbeat is not written again; one minute when left out. */
  readonly heartbeatRepeatMs?: () => number;
  /** In force until the store has shown settings: those of `bootstrap.dcs`. */
  readonly firstSettings: Settings;
  readonly timing: (settings: Settings) => LeaseTiming;
  /** Told of each round when it is over, for callbacks. */
  readonly onRound?: (round: CallbackFacts) => void;
  /** Told how long each tick took, in milliseconds. */
  readonly onTick?: (tookMs: number) => void;
}

/** A reload is done when the server was given its files; one that is down reads them at its start. */
function isFulfilled(
  { kind }: OperatorWish,
  { postgres }: NodeView,
  outcomes: readonly Outcome[],
): boolean {
  if (kind !== "reload") return false;
  if (["down", "no-data", "unreadable"].includes(postgres.kind)) return true;
  return outcomes.some(({ action, result }) => {
    return action.kind === "apply-settings" && result === "done";
  });
}

/** Looks in one tick; a rule that needs more has lost its way. */
const ROUNDS_MAX = 4;
/** A tick that failed has decided nothing, so the next one must not wait for its turn: a lease may be ending. */
const FAULT_PAUSE_MS = 1000;

interface Round {
  readonly view: NodeView;
  readonly decision: Decision;
  readonly facts: Facts;
}

/** The loop of one member and the sole owner of its memory: look, choose, act, again and again. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #heartbeat: HeartbeatLog;
  readonly #member: MemberWriter;
  readonly #limit: TickLimit;
  #memory: Memory = initialMemory;
  #lastSeen: ClusterView | null = null;
  #lastServer: PostgresView | null = null;
  #consents: Facts["consents"];
  #mayEnd = false;
  #nextTickMs = 0;

  constructor(options: AgentOptions) {
    const { ports, log, clock, heartbeatRepeatMs } = options;
    this.#options = options;
    this.#heartbeat = new HeartbeatLog(log, clock, heartbeatRepeatMs);
    this.#member = new MemberWriter({ dcs: ports.dcs, keeper: ports.keeper, log });
    this.#limit = new TickLimit(clock);
  }

  /** The cluster's settings as last seen. */
  settings(): Settings {
    return this.#memory.lastSettings ?? this.#options.firstSettings;
  }

  /**
   * What the store said before the first tick counts until the loop has seen it itself: a store that is lost in between must
   * not make this a process that knows nothing of the cluster.
   */
  know(cluster: ClusterView): void {
    this.#lastSeen ??= cluster;
  }

  /** Ticks until `signal` aborts or a decision ended the agent. No fault of a tick ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, mailbox } = this.#options;
    this.#nextTickMs = clock.bootMs();
    while (!signal.aborted && !this.#mayEnd) {
      const startedMs = clock.bootMs();
      this.#plan(startedMs);
      this.#limit.begin();
      const decision = await this.#tickSafely(signal);
      if (this.#mayEnd) return;
      await clock.sleep(this.#restMs(startedMs), signal);
      const wakeAtMs = decision === null ? startedMs + FAULT_PAUSE_MS : decision.wakeAtMs;
      const untilMs = Math.min(this.#nextTickMs, wakeAtMs ?? Infinity);
      await mailbox.pause(untilMs - clock.bootMs(), signal);
    }
  }

  /** One heartbeat; looks again only when the choice asked for it. The member record follows the last look. */
  async tick(signal: AbortSignal): Promise<Decision> {
    const { ports } = this.#options;
    ports.keeper.tickSeen();
    const consents = this.#consents;
    const first = consents === undefined ? NOTHING_ASKED : { ...NOTHING_ASKED, consents };
    let round = await this.#round(first, signal);
    for (let count = 1; round.decision.again && count < ROUNDS_MAX; count++) {
      round = await this.#round(round.facts, signal);
    }
    const pressure = this.#pressure();
    const { view } = round;
    await inTime(
      ports.clock,
      { ms: storeBudgetMs(pressure), patienceMs: patienceMs(pressure) },
      signal,
      (one) => this.#member.write(view, this.#memory, one),
    );
    return round.decision;
  }

  /** The one catch-all: a fault of one tick is logged, the next tick looks at the world afresh. */
  async #tickSafely(signal: AbortSignal): Promise<Decision | null> {
    const startedMs = performance.now();
    try {
      return await this.tick(signal);
    } catch (error) {
      this.#options.log.error(`Cannot finish this tick: ${String(error)}`, traced(error));
      return null;
    } finally {
      this.#options.onTick?.(performance.now() - startedMs);
    }
  }

  async #round(facts: Facts, signal: AbortSignal): Promise<Round> {
    const { ports, mailbox } = this.#options;
    const pressure = this.#pressure();
    const known = { lastSeen: this.#lastSeen, lastServer: this.#lastServer };
    const view = await observe(
      ports,
      { facts, pressure, ...known, ...this.#firstSettings() },
      signal,
    );
    this.#lastServer = view.postgres;
    if (view.cluster.kind === "seen") this.#lastSeen = view.cluster;
    const memory = remember(this.#memory, view);
    this.#memory = memory;
    const decision = decide(view, memory);
    const { outcomes, facts: learnt } = await this.#perform(view, decision.actions, signal);
    this.#consents = view.cluster.kind === "seen" ? undefined : learnt.consents ?? this.#consents;
    for (const wish of view.wishes) if (isFulfilled(wish, view, outcomes)) mailbox.fulfil(wish);
    this.#show({ view, decision, outcomes, memory });
    return { view, decision, facts: { ...facts, ...learnt } };
  }

  #firstSettings(): Pick<LookContext, "settingsWithoutConfig"> {
    const isSeen = this.#memory.lastConfig !== null;
    return { settingsWithoutConfig: isSeen ? null : this.#options.firstSettings };
  }

  /** In order, until the first that was not done; each outcome is folded into memory at once. */
  async #perform(
    view: NodeView,
    actions: readonly Action[],
    signal: AbortSignal,
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly facts: Partial<Facts> }> {
    const { ports, clock } = this.#options;
    const outcomes: Outcome[] = [];
    let facts: Partial<Facts> = {};
    for (const action of actions) {
      const atMs = clock.bootMs();
      const answer = await act(action, ports, this.#actContext(view), signal);
      const outcome: Outcome = { action, result: answer.result, reason: answer.reason, atMs };
      outcomes.push(outcome);
      facts = { ...facts, ...answer.facts };
      this.#memory = evolve(this.#memory, outcome);
      if (outcome.result !== "done") break;
      if (action.kind === "exit") this.#mayEnd = true;
      if (action.kind === "settle") this.#settle(action, view.wallMs);
    }
    return { outcomes, facts };
  }

  #settle({ operation, state, why, reply }: Action & { kind: "settle" }, wallMs: number): void {
    const { mailbox, board, log } = this.#options;
    mailbox.withdraw(operation);
    board.settle(operation, { state, why, reply }, wallMs);
    log.info(`The operator's order ended: ${reply.text}`, { operation, state, why });
  }

  #show(tick: Omit<Parameters<Recorder["record"]>[0], "atMs">): void {
    const { board, recorder, clock, ports } = this.#options;
    const { view, decision, outcomes } = tick;
    this.#options.onRound?.(tick);
    this.#heartbeat.write(view, decision, outcomes);
    recorder.record({ ...tick, atMs: view.wallMs });
    board.publish({
      view,
      decision,
      outcomes,
      memory: this.#memory,
      store: ports.dcs.health(),
      nextTickMs: this.#nextTickMs,
      endedMs: clock.bootMs(),
    });
  }

  #actContext(view: NodeView): ActContext {
    const pressure = this.#pressure();
    return {
      view,
      settings: this.settings(),
      competitors: competitors(view, this.#memory),
      storeMs: storeBudgetMs(pressure),
      serverMs: serverBudgetMs(pressure),
      consentMs: consentBudgetMs(pressure),
      patienceMs: patienceMs(pressure),
      ttlMs: pressure.timing.ttlMs,
    };
  }

  #pressure(): Pressure {
    const { ports, clock, timing } = this.#options;
    const settings = this.settings();
    const { name } = ports.self;
    const seen = this.#lastSeen;
    const writes = this.#memory.failsafeWrites;
    return {
      nowMs: clock.bootMs(),
      stopAtMs: ports.keeper.stopAtMs(),
      settings,
      timing: timing(settings),
      needsConsents: seen !== null && consenters(seen, writes, name) !== null,
    };
  }

  /** Milliseconds; a tick that began before the stop time does not put off the one that stops. */
  #restMs(startedMs: number): number {
    const restMs = this.#limit.untilNextMs();
    const { clock, keeper } = this.#options.ports;
    const stopAtMs = keeper.stopAtMs() ?? -Infinity;
    return startedMs < stopAtMs ? Math.min(restMs, stopAtMs - clock.bootMs()) : restMs;
  }

  /** The pace is kept from planned tick to planned tick; who is late runs at once and plans anew. */
  #plan(startedMs: number): void {
    const paceMs = this.settings().loopWaitS * 1000;
    const lateMs = startedMs - this.#nextTickMs;
    if (lateMs < 0) return; // woken early: the planned tick stays
    this.#nextTickMs = lateMs < paceMs ? this.#nextTickMs + paceMs : startedMs + paceMs;
    if (lateMs >= paceMs) this.#options.log.warn(`The loop is ${Math.round(lateMs)} ms late`);
  }
}

/** All other members: those of the last view with a leader, replaced by present ones of the same name. */
function competitors({ cluster, self }: NodeView, memory: Memory): readonly MemberState[] {
  const present = cluster.kind === "seen" ? cluster.members : [];
  const byName = new Map(
    [...memory.lastHealthyMembers, ...present].map((member) => [member.name, member]),
  );
  byName.delete(self.name);
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
}
