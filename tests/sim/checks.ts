import type { Decision, Outcome } from "../../lib/core/action.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import type { SimNode } from "./sim_node.ts";
import { needlessCopy } from "./copy_promises.ts";
import { leadsByConsents } from "./leads_by_consents.ts";
import { PausePromises } from "./pause_promises.ts";
import { PromotionPromises } from "./promotion_promises.ts";
import { sameValue } from "./same_value.ts";
import type { Server } from "./server.ts";
import { TimelinePromise } from "./timeline_promise.ts";
import type { World } from "./world.ts";

/** Rounds of one tick. */
export const ROUNDS_MAX = 4;

/** After these a tick may need one round more: an answer was lost, the look was an old one, or a wish was dropped and another may have come. */
export function excusesRound({ action, result }: Outcome): boolean {
  const isOld = result === "refused" && action.kind === "take-lock";
  return isOld || result === "unknown" || action.kind === "clear-handover";
}

/** A promise that was broken. */
export interface Violation {
  readonly kind:
    | "two-primaries"
    | "writes-without-lease"
    | "begins-without-lease"
    | "ends-tick-without-lease"
    | "timeline-goes-back"
    | "acknowledged-write-lost"
    | "older-wal-promoted"
    | "not-deterministic"
    | "not-total"
    | "too-many-rounds"
    | "barred-promoted"
    | "shell-fault"
    | "pause-broken"
    | "needless-copy"
    | "promise-broken"
    | "no-recovery";
  readonly seconds: number;
  readonly node: string;
  readonly what: string;
}

/**
 * How long a server may still write after its agent came back from a stall or a kill: the end of an observation that
 * was under way, one tick, and a stop that is at once immediate.
 */
const BACK_GRACE_MS = 15_000;

/** The same where the server becomes a primary while its agent looks at a silent store: two observations. */
const HIDDEN_GRACE_MS = 2 * BACK_GRACE_MS;

/**
 * The promises, judged in true time by the store's own leases, or in failsafe mode by what the members have promised.
 *
 * An agent that is killed or stalled excuses nothing while a switch or a running watchdog is on its host: the server must
 * not write after the lease has ended in the store. The one exception is a host on which neither is left: no switch by the
 * plan of the seed, or one that was killed while its agent could not replace it. From that moment its server may write
 * without a lease until BACK_GRACE_MS after its agent runs again. `unfenced` and `agentBack` are the only places that
 * know of it.
 *
 * Maintenance mode takes the fence away by an operator's wish: see `PausePromises`.
 *
 * Also not counted: a lock that was deleted with the whole key tree (`wiped`) for one ttl and while the tree has no
 * identity (nobody else leads such a cluster), because no lease can protect against it; a server whose cluster nobody has led yet (a bootstrap before its first lock).
 */
export class Checks {
  violation: Violation | null = null;
  readonly #world: World;
  readonly #excusedUntilMs = new Map<string, number>();
  /** Without a switch nothing tells a new process that the one before has ordered one: it excuses as a kill does. */
  readonly #hiddenPromotions = new Map<string, number>();
  readonly #led = new Set<string>();
  readonly #pause = new PausePromises(BACK_GRACE_MS);
  readonly #promotion: PromotionPromises;
  readonly timeline: TimelinePromise;
  #wipedMs = -Infinity;
  #wroteMs = 0;
  ticks = 0;

  constructor(world: World) {
    this.#world = world;
    this.#promotion = new PromotionPromises(world, (...broken) => this.#report(...broken));
    this.timeline = new TimelinePromise(world, (...broken) => this.#report(...broken));
  }

  /** decide(), called twice: total, and the same answer for the same question; "excused": an answer of this tick was lost. */
  decide(
    node: { readonly name: string; readonly memory: Memory },
    view: NodeView,
    round: number | "excused",
  ): Decision {
    const { brain } = this.#world;
    try {
      const decision = brain.decide(view, node.memory);
      const broken = this.#pause.judge(view, node.memory, decision, this.#world.scheduler.nowMs);
      if (broken !== null) this.#report("pause-broken", node.name, broken);
      const needless = needlessCopy(this.#world, node.name, decision);
      if (needless !== null) this.#report("needless-copy", node.name, needless);
      if (!sameValue(decision, brain.decide(view, node.memory))) {
        this.#report("not-deterministic", node.name, decision.rule);
      }
      if (round === ROUNDS_MAX && decision.again) {
        this.#report("too-many-rounds", node.name, `${decision.rule}: ${decision.why}`);
      }
      return decision;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#report("not-total", node.name, String(error.stack));
      return { rule: "none", why: "", actions: [], again: false, wakeAtMs: null };
    }
  }

  /** A round that an agent has run by itself: the same demands on its decision. */
  decided(
    node: { readonly name: string; readonly memory: Memory },
    view: NodeView,
    made: { readonly decision: Decision; readonly round: number | "excused" },
  ): void {
    const again = this.decide(node, view, made.round);
    if (sameValue(made.decision, again)) return;
    this.#report("not-deterministic", node.name, made.decision.rule);
  }

  /** The agent itself says that something happened which must not. */
  fault({ name }: SimNode, what: string): void {
    this.#report("shell-fault", name, what);
  }

  /** At most one writer, and only under a lease that the store has not let expire. */
  writers(): void {
    const counted = this.#world.nodes.filter((node) => this.#isCounted(node));
    if (this.#world.nodes.some(({ server }) => server.writable)) {
      this.#wroteMs = this.#world.scheduler.nowMs;
    }
    const holder = this.#world.store.lock?.value;
    const led = holder === undefined ? null : this.#world.server(holder);
    if (led?.writable) this.#led.add(led.systemId);
    if (this.#isWiped()) return;
    const [first, second] = counted;
    if (first !== undefined && second !== undefined) {
      return this.#report("two-primaries", first.name, `${first.name} and ${second.name} write`);
    }
    if (first !== undefined && !this.#hasAuthority(first)) {
      this.#report("writes-without-lease", first.name, this.#lockText());
    }
    if (first !== undefined) this.timeline.writes(first.server);
  }

  /** Right before promote or start-primary. */
  beginsToWrite(node: SimNode, task: string): void {
    if (this.#isWiped() || this.#hasAuthority(node)) return;
    this.#report("begins-without-lease", node.name, `${task}: ${this.#lockText()}`);
  }

  /** Right before a standby leaves recovery. */
  promoted(server: Server): void {
    this.#promotion.promoted(server, this.#wroteMs);
    const isLeftAlone = this.#excusedUntilMs.get(server.name) === Infinity;
    if (!isLeftAlone && this.#hiddenPromotions.get(server.name) === server.epoch) {
      this.#excuse(server.name, HIDDEN_GRACE_MS);
    }
    this.#hiddenPromotions.delete(server.name);
  }

  /** A primary ended with its shutdown checkpoint; the standbys that streamed have all of it. */
  stoppedCleanly(server: Server): void {
    this.#promotion.stoppedCleanly(server);
  }

  /** The keeper of a leader's lease has seen maintenance mode, before any tick has. */
  pausedProof(name: string): void {
    this.#pause.seen(name);
  }

  /** A member sends a request for the lock; while it is free, a primary that nobody fenced waits for the answer. */
  reachesForLock(name: string): void {
    const { scheduler: { nowMs }, store } = this.#world;
    if (store.lock !== null) return;
    this.#pause.reaches(name, nowMs);
    if ((this.#excusedUntilMs.get(name) ?? nowMs) > nowMs) this.#excuse(name, BACK_GRACE_MS);
  }

  /** The lock got another holder: nobody may be who has promised it to a leader without the store. */
  lockTaken(name: string): void {
    const { consents, scheduler } = this.#world;
    const server = this.#world.server(name);
    if (server !== null) this.timeline.lockTaken(server);
    const to = consents.binds(name, scheduler.nowMs);
    if (to === null || to === name || !leadsByConsents(this.#world.node(to))) return;
    this.promiseBroken(name, `${to} leads by its promise`);
  }

  /** A promise of failsafe mode was given that is not kept, or cannot be. */
  promiseBroken(name: string, why: string): void {
    this.#report("promise-broken", name, why);
  }

  /** A tick is over. */
  tickEnded(node: SimNode): void {
    this.ticks++;
    this.writers();
    if (!this.#isCounted(node) || this.#isWiped()) return;
    const lease = node.leaseView();
    const task = node.taskView();
    const stops = task.kind === "running" && task.task.kind === "stop";
    const holds = lease.kind === "held" && lease.endsMs > node.bootMs();
    if (stops || holds || this.#hasAuthority(node)) return;
    this.#report("ends-tick-without-lease", node.name, `${lease.kind}, ${this.#lockText()}`);
  }

  /** The agent is killed or stalled, or waits for the store before its first tick; or its switch is killed: see the class. */
  unfenced(node: SimNode): void {
    const { name, server } = node;
    const mayWrite = server.process !== "off" && (!server.standby || server.promoting);
    // Maintenance mode has laid the switch to rest, and only an agent that runs arms it again.
    const isResting = this.#pause.excuses(name, this.#world.scheduler.nowMs);
    if (mayWrite && (isResting || !node.guards.isFenced)) this.#excusedUntilMs.set(name, Infinity);
  }

  /** It runs again: the relaxation ends. */
  agentBack({ name, server, guards }: SimNode): void {
    const isHidden = server.promoting && guards.deadMan === null;
    if (isHidden) this.#hiddenPromotions.set(name, server.epoch);
    if (this.#excusedUntilMs.has(name)) this.#excuse(name, BACK_GRACE_MS);
  }

  #excuse(name: string, graceMs: number): void {
    this.#excusedUntilMs.set(name, this.#world.scheduler.nowMs + graceMs);
  }

  /** True when a server of that system has ever led. */
  hasLed(systemId: string): boolean {
    return this.#led.has(systemId);
  }

  /** The key tree is deleted now. */
  wiped(): void {
    this.#wipedMs = this.#world.scheduler.nowMs;
    this.timeline.wiped();
  }

  /** After healing: one leader that writes, and all others stream from it. Null, or what is missing. */
  recovered(): string | null {
    const { store, nodes } = this.#world;
    const holder = store.lock?.value ?? null;
    if (holder === null) return "nobody holds the lock";
    if (store.handover !== null) return "a wish is still there";
    for (const { name, server } of nodes) {
      if (name === holder && !server.writable) return `${name} leads, but does not write`;
      if (name === holder) continue;
      const follows = server.streaming && server.upstream === holder;
      if (!follows) return `${name} does not stream from ${holder}`;
      if (server.replayPaused) return `the replay of ${name} has paused`;
    }
    return null;
  }

  /** The healed cluster did not find together. */
  stuck(what: string): void {
    this.#report("no-recovery", "all", what);
  }

  #isCounted({ name, server }: SimNode): boolean {
    if (!server.writable || !this.#led.has(server.systemId)) return false;
    if (this.#pause.excuses(name, this.#world.scheduler.nowMs)) return false;
    return (this.#excusedUntilMs.get(name) ?? -Infinity) <= this.#world.scheduler.nowMs;
  }

  #isWiped(): boolean {
    const { scheduler, store, timing } = this.#world;
    if (this.#wipedMs === -Infinity) return false;
    return store.initialize === null || scheduler.nowMs - this.#wipedMs < timing.ttlMs;
  }

  /** The lease, or in failsafe mode the promises of all others in the store's list. */
  #hasAuthority({ name }: SimNode): boolean {
    const { consents, faults, scheduler, store } = this.#world;
    const endsMs = store.authorityEndsMs(name);
    if (endsMs !== null && endsMs > scheduler.nowMs) return true;
    const isSupported = consents.supports(name, store.failsafe?.members ?? null, scheduler.nowMs);
    if (isSupported) faults.count("beyond-lease");
    return isSupported;
  }

  #lockText(): string {
    const holder = this.#world.store.lock?.value;
    return holder === undefined ? "the lock is free" : `${holder} holds the lock`;
  }

  #report(kind: Violation["kind"], node: string, what: string): void {
    const seconds = this.#world.scheduler.nowMs / 1000;
    this.violation ??= { kind, seconds, node, what };
    this.#world.log(node, `!! ${kind}: ${what}`);
  }
}
