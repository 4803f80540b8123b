import type { Action, Decision, Outcome } from "../../lib/core/action.ts";
import type { ClusterView, MemberState } from "../../lib/core/cluster_view.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import type {
  LeaseView,
  NodeView,
  OperatorWish,
  PeerReport,
  PostgresView,
  TaskView,
} from "../../lib/core/node_view.ts";
import type { Memory } from "../../lib/core/memory.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import { isPaused } from "../../lib/core/rules/facts.ts";
import { besideWatchdog, watchdogObstacle } from "../../lib/core/watchdog.ts";
import { storeBudgetMs } from "../../lib/runtime/budget.ts";
import type { PromiseRequest } from "../../lib/core/failsafe.ts";
import { act } from "./act.ts";
import type { PromiseKeeper } from "./consents.ts";
import { HostGuards } from "./host_guards.ts";
import { Keeper } from "./keeper.ts";
import { excusesRound, ROUNDS_MAX } from "./checks.ts";
import { memberOf, reportOf, selfView } from "./member.ts";
import { consentOf, pressureOf, promisesOf } from "./promises.ts";
import type { Process, Steps } from "./schedule.ts";
import type { NodeOptions, SimNode } from "./sim_node.ts";
import { Host } from "./schedule.ts";
import type { Server } from "./server.ts";
import { SimWatchdog } from "./sim_watchdog.ts";
import type { Store, Verdict } from "./store.ts";
import { Tasks } from "./tasks.ts";
import type { World } from "./world.ts";

const TICK_MIN_MS = 100;

/** One host: a server, and an agent that ticks as the shell does while it lives. */
export class Node implements SimNode {
  readonly name: string;
  readonly server: Server;
  readonly nofailover: boolean;
  host = new Host();
  alive = false;
  wallJumpMs = 0;
  stalledMs = 0;
  readonly bootOffsetMs: number;
  readonly guards: HostGuards;
  readonly watchdog: SimWatchdog;
  wishes: OperatorWish[] = [];
  peers: NodeView["peers"] = "not asked";
  leader: NodeView["leader"] = "not asked";
  memory: Memory = initialMemory;
  tasks: Tasks;
  keeper: Keeper;
  promises: PromiseKeeper;
  consents: NodeView["consents"];
  lastDecision: Decision | null = null;
  lastSeen: ClusterView | null = null;
  readonly #world: World;
  #processes: Process[] = [];
  #napping: Process | null = null;
  #woken = false;

  constructor(world: World, server: Server, options: NodeOptions) {
    this.name = server.name;
    this.server = server;
    this.nofailover = options.nofailover;
    this.#world = world;
    this.bootOffsetMs = options.bootOffsetMs;
    this.guards = new HostGuards(world, this);
    const { watchdog, ttlS } = world.plan;
    const marginS = ttlS > 10 ? 5 : -1;
    this.watchdog = new SimWatchdog(this.guards.device, world.settings, watchdog, marginS);
    this.tasks = new Tasks(this, world);
    this.keeper = this.#newKeeper(null);
    this.promises = promisesOf(this, world);
  }

  /** The budget of a lease with the watchdog as it stands. */
  get timing(): LeaseTiming {
    return besideWatchdog(this.#world.timing, this.watchdog.view());
  }

  setWatchdog(state: SimWatchdog["state"]): void {
    if (state.kind !== "ready" && this.awake) this.watchdog.close(); // a feeding has failed
    this.watchdog.state = state;
  }

  bootMs(): number {
    const lagMs = this.#world.plan.planted.clockStopsInStall ? this.stalledMs : 0;
    return this.#world.scheduler.nowMs + this.bootOffsetMs - lagMs;
  }

  /** Runs now: not killed and not stalled. */
  get awake(): boolean {
    return this.alive && !this.host.stalled;
  }

  /** A fresh agent process; only the lease id of the state file is known. */
  start(): void {
    if (this.alive) return;
    this.alive = true;
    this.host = new Host();
    this.memory = initialMemory;
    this.wishes = [];
    this.lastSeen = null;
    this.lastDecision = null;
    this.tasks = new Tasks(this, this.#world);
    this.keeper = this.#newKeeper(this.keeper.lease);
    this.promises = promisesOf(this, this.#world);
    this.consents = undefined;
    this.watchdog.newProcess();
    this.guards.deadMan?.inherit();
    const { scheduler } = this.#world;
    const loop = scheduler.spawn(this.#loop(), this.host);
    this.#processes = [loop, scheduler.spawn(this.keeper.run(), this.host)];
  }

  /** The agent process ends; its server stays as it is. */
  kill(): void {
    this.alive = false;
    this.#napping = null;
    for (const process of this.#processes) process.alive = false;
    this.tasks.kill();
  }

  askToEnd(how: "shutdown" | "detach"): void {
    this.wishes = [{ kind: how }];
    this.wake();
  }

  order(wish: OperatorWish): void {
    if (!this.alive) return;
    this.wishes = [...this.wishes.filter(({ kind }) => kind !== wish.kind), wish];
    this.wake();
  }

  forgetEnd(): void {
    this.wishes = [];
  }

  /** Steps cannot hang at this level: each has its deadline. */
  hang(): void {}

  leaseView(): LeaseView {
    return this.keeper.view();
  }

  taskView(): TaskView {
    return this.tasks.view();
  }

  /** The agent ends by its own will, its shutdown done. */
  exit(): Verdict {
    this.#world.log(this.name, "exits");
    this.#world.checks.unfenced(this);
    this.kill();
    return { kind: "done" };
  }

  /** What one request of a tick may take. */
  storeBudgetMs(): number {
    return storeBudgetMs(pressureOf(this.#world, this));
  }

  /** A wake-up carries no meaning: the next tick looks for itself. */
  wake(): void {
    this.#woken = true;
    if (this.#napping === null) return;
    this.#world.scheduler.wake(this.#napping);
    this.#napping = null;
  }

  *#loop(): Steps<void> {
    yield* this.keeper.attach();
    const paceMs = this.#world.settings.loopWaitS * 1000;
    let nextMs = this.bootMs();
    while (this.alive) {
      const startedMs = this.bootMs();
      if (startedMs >= nextMs) nextMs = Math.max(nextMs + paceMs, startedMs + 1);
      this.#woken = false;
      const wakeAtMs = yield* this.#tick();
      yield startedMs + TICK_MIN_MS - this.bootMs();
      if (this.#woken) continue;
      this.#napping = this.#processes[0] ?? null;
      yield Math.min(nextMs, wakeAtMs ?? Infinity) - this.bootMs();
      this.#napping = null;
    }
  }

  *#tick(): Steps<number | null> {
    this.peers = "not asked";
    this.leader = "not asked";
    let decision: Decision | null = null;
    let last: NodeView | null = null;
    let lost = false;
    this.keeper.tickSeen();
    if (this.#world.plan.planted.feedsAlways) this.watchdog.feed(this.bootMs(), this.bootMs());
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      const view = yield* this.#observe();
      this.memory = this.#world.brain.remember(this.memory, view);
      decision = this.#world.checks.decide(this, view, lost ? "excused" : round);
      this.lastDecision = decision;
      const outcomes = yield* this.#perform(decision);
      lost ||= outcomes.some(excusesRound);
      this.#world.trace.record(this, decision, outcomes);
      if (!this.alive) return null;
      last = view;
      if (!decision.again) break;
    }
    if (last !== null) yield* this.#publish(last);
    this.#world.checks.tickEnded(this);
    return decision?.wakeAtMs ?? null;
  }

  *#observe(): Steps<NodeView> {
    const task = this.tasks.view();
    const early = this.#world.random.chance(0.5) ? this.#probe() : null;
    const askedMs = this.bootMs();
    const seen = yield* this.keeper.look(this.storeBudgetMs());
    if (seen !== null) this.#saw(seen, askedMs);
    const { lastSeen } = this;
    const cluster = seen ?? { kind: "unreachable" as const, why: "no answer", lastSeen };
    const postgres = early ?? this.#probe();
    const { peers, leader } = this;
    const nowMs = this.bootMs();
    const wallMs = 1_800_000_000_000 + this.#world.scheduler.nowMs + this.wallJumpMs;
    const lease = this.keeper.view();
    const wishes = [...this.wishes];
    const self = selfView(this);
    const armed = this.guards.deadMan === null ? {} : { armed: this.keeper.guard.view() };
    const told = this.consents === undefined ? {} : { consents: this.consents };
    const own = { self, nowMs, wallMs, watchdog: this.watchdog.view(), ...told, ...armed };
    const promise = this.promises.view();
    return { ...own, cluster, postgres, task, lease, peers, leader, wishes, promise };
  }

  #saw(cluster: ClusterView, askedMs: number): void {
    this.promises.looked(cluster, askedMs);
    this.consents = undefined;
    this.lastSeen = cluster;
  }

  #probe(): PostgresView {
    return this.server.view(this.#world.sendersOf(this.name));
  }

  *#perform(decision: Decision): Steps<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const action of decision.actions) {
      const outcome = yield* this.#performOne(action);
      outcomes.push(outcome);
      this.memory = this.#world.brain.evolve(this.memory, outcome);
      if (outcome.result !== "done" || !this.alive) break;
    }
    return outcomes;
  }

  *#performOne(action: Action): Steps<Outcome> {
    const atMs = this.bootMs();
    const answer = yield* act(action, this, this.#world);
    const reason = answer.kind === "refused" ? answer.why : null;
    return { action, result: answer.kind, reason, atMs };
  }

  *#publish(view: NodeView): Steps<void> {
    const lease = yield* this.keeper.ensureLease();
    if (lease === null) return;
    const state: MemberState = memberOf(this, view.postgres, isPaused(view, this.memory));
    const write = (store: Store): Verdict => store.writeMember(state, lease);
    yield* this.#world.ask(this, this.storeBudgetMs(), write);
  }

  #newKeeper(lease: string | null): Keeper {
    const timing = (): LeaseTiming => this.timing;
    const { planted } = this.#world.plan;
    const ports = {
      name: this.name,
      get timing(): LeaseTiming {
        return timing();
      },
      deadMan: this.guards.deadMan,
      proved: (askedMs: number) =>
        this.watchdog.feed(askedMs, planted.feedsLate ? askedMs : this.bootMs()),
      bootMs: () => this.bootMs(),
      trueMs: () => this.#world.scheduler.nowMs,
      ask: <T>(deadlineMs: number, request: (store: Store) => T) =>
        this.#world.ask(this, deadlineMs, request),
      wake: () => this.wake(),
      whyNotTake: () => this.promises.whyNotTake(),
    };
    return new Keeper(ports, planted, lease);
  }

  readonly consent = (request: PromiseRequest): string | null => consentOf(this, request);

  /** What this node's agent answers to a peer now. */
  report(): PeerReport {
    return reportOf(this, watchdogObstacle(this.watchdog.view()) !== null);
  }
}
