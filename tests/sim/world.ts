import type { Decision, Outcome } from "../../lib/core/action.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, SenderView } from "../../lib/core/node_view.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { slotNameOf } from "../../lib/core/slot_name.ts";
import { Checks } from "./checks.ts";
import { ConsentLedger } from "./consent_ledger.ts";
import { Faults } from "./faults.ts";
import type { StoreAnswer } from "./keeper_ports.ts";
import { Network } from "./network.ts";
import { Node } from "./node.ts";
import type { Plan } from "./plan.ts";
import { Random } from "./random.ts";
import type { Steps } from "./schedule.ts";
import { Host, Scheduler } from "./schedule.ts";
import type { Server } from "./server.ts";
import type { NodeOptions, SimNode } from "./sim_node.ts";
import { Server as SimulatedServer } from "./server.ts";
import type { Verdict } from "./store.ts";
import { Store } from "./store.ts";
import type { TraceSink } from "./trace.ts";
import { Trace } from "./trace.ts";
import { contains } from "./wal.ts";

/** The functions under test. */
export interface Brain {
  decide(view: NodeView, memory: Memory): Decision;
  evolve(memory: Memory, outcome: Outcome): Memory;
  remember(memory: Memory, view: NodeView): Memory;
}

/** Makes the host of a server. */
export type MakeNode = (world: World, server: Server, options: NodeOptions) => SimNode;

const PUMP_MS = 1000;
const HELD_MAX_MS = 8000;
const HELD_STEP_MS = 50;

/** N hosts, one store and a network in virtual time. The same plan and brain give the same run. */
export class World {
  readonly plan: Plan;
  readonly brain: Brain;
  readonly settings: Settings;
  readonly timing: LeaseTiming;
  readonly scheduler = new Scheduler();
  readonly random: Random;
  readonly network = new Network();
  readonly consents = new ConsentLedger();
  readonly store: Store;
  readonly checks: Checks;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly nodes: readonly SimNode[];
  readonly #makeNode: MakeNode;
  #systems = 0;

  constructor(
    plan: Plan,
    brain: Brain,
    sink: TraceSink | null = null,
    makeNode: MakeNode = (world, server, options) => new Node(world, server, options),
  ) {
    this.plan = plan;
    this.#makeNode = makeNode;
    this.brain = brain;
    const { ttlS, loopWaitS, failsafe: failsafeMode } = plan;
    const rewind = plan.rewinds === true ? { usePgRewind: true } : {};
    this.settings = { ...defaultSettings, ttlS, loopWaitS, failsafeMode, ...rewind };
    this.timing = leaseTiming(plan.ttlS, plan.loopWaitS);
    this.random = new Random(plan.seed + 0x51ed, plan.steady);
    this.trace = new Trace(sink, () => this.scheduler.nowMs);
    this.store = new Store(this.settings, () => this.#lockGone());
    this.nodes = plan.names.map((name, index) => this.#newNode(name, index));
    this.checks = new Checks(this);
    this.store.onPausedProof = (name) => this.checks.pausedProof(name);
    this.store.onLockTaken = (name) => this.#lockTaken(name);
    this.faults = new Faults(this, new Random(plan.seed + 0xfa17));
    this.scheduler.spawn(this.#pump(), new Host());
  }

  /** Starts all agents, a moment apart. */
  startAll(): void {
    for (const node of this.nodes) {
      this.scheduler.at(this.random.between(0, 3000), () => node.start());
    }
  }

  /** Runs until `untilMs`, a violation, or until `enough` says so. */
  runUntil(untilMs: number, enough: () => boolean = () => false): void {
    while (this.checks.violation === null && !enough() && this.scheduler.step(untilMs));
  }

  /** The member of that name. */
  node(name: string): SimNode | null {
    return this.nodes.find((node) => node.name === name) ?? null;
  }

  /** Its server. */
  server(name: string): Server | null {
    return this.node(name)?.server ?? null;
  }

  /** True when `from` can open a connection to `to`. */
  linked(from: string, to: string): boolean {
    return this.network.linked(from, to);
  }

  /** A line for the trace. */
  log(who: string, text: string): void {
    this.trace.say(who, text);
  }

  /** A new system identifier. */
  nextSystemId(): string {
    return `70000000000000000${String(++this.#systems).padStart(2, "0")}`;
  }

  /** How much longer than usual things take now. */
  slowness(): number {
    return this.network.slowServers ? 20 : 1;
  }

  /** Whether a copy that runs breaks off in this second. */
  cloneFails(): boolean {
    return this.network.clonesFail && this.random.chance(0.2);
  }

  /** One request: it reaches the store or not, in time or late, and its answer comes back or not. */
  *ask<T>(node: SimNode, deadlineMs: number, request: (store: Store) => T): Steps<StoreAnswer<T>> {
    const { network, random, scheduler } = this;
    if (network.storeDown || network.storeCut.has(node.name)) {
      yield random.chance(0.5) ? 5 : deadlineMs;
      return { kind: "lost" };
    }
    const slow = network.slowStore.has(node.name) ? 400 : 1;
    const thereMs = random.between(1, 5) * slow;
    const backMs = random.between(1, 5) * slow;
    const drops = network.lossy.has(node.name) && random.chance(0.3);
    const arrives = !drops || random.chance(0.7);
    let answer: { readonly value: T } | null = null;
    scheduler.at(scheduler.nowMs + thereMs, () => {
      if (!arrives) return;
      this.store.expire(scheduler.nowMs);
      answer = { value: request(this.store) };
    });
    const lost = drops || thereMs + backMs > deadlineMs;
    yield lost ? deadlineMs : thereMs + backMs;
    const mayHold = slow > 1 && this.plan.failsafe && node.server.standby && deadlineMs < Infinity;
    if (mayHold && !lost && random.chance(0.6)) yield* this.#hold(node, deadlineMs);
    const arrived = answerOf<T>(() => answer);
    return lost || arrived === null ? { kind: "lost" } : { kind: "answer", value: arrived.value };
  }

  /** The worst moment for an answer: right after a promise that is younger than the question. */
  *#hold({ name }: SimNode, deadlineMs: number): Steps<void> {
    const { nowMs } = this.scheduler;
    const endsMs = nowMs + Math.min(HELD_MAX_MS, deadlineMs / 2);
    while (this.scheduler.nowMs < endsMs && this.consents.givenMs(name) < nowMs) yield HELD_STEP_MS;
  }

  /** The standbys that stream from a server now. */
  sendersOf(name: string): readonly SenderView[] {
    const standbys = this.nodes.filter(({ server }) =>
      server.streaming && server.upstream === name
    );
    return standbys.map(({ server }) => ({
      applicationName: server.name,
      username: "replicator",
      clientAddress: null,
      state: "streaming",
      syncState: "async",
      syncPriority: 0,
      sentLsn: server.head.lsn,
      replayLsn: server.head.lsn,
    }));
  }

  /** A start-up has come to its end. */
  accept(server: Server): void {
    server.accept();
    this.checks.writers();
  }

  /** pg_ctl promote: from now on only the death of the server prevents it. */
  promote(server: Server, tookMs: number): void {
    const { epoch } = server;
    server.promoting = true;
    this.scheduler.at(this.scheduler.nowMs + tookMs, () => {
      if (server.epoch !== epoch || !server.promoting || server.replayPaused) return; // asked for once more
      this.checks.promoted(server);
      server.leaveRecovery();
      this.checks.writers();
      this.#checkpointAt(server, 60_000);
    });
  }

  /** A background checkpoint. */
  checkpointLater(server: Server): Verdict {
    this.#checkpointAt(server, this.random.between(100, 2000));
    return { kind: "done" };
  }

  /** The end of a fast stop: the standbys receive everything before the primary ends. */
  shutDown(server: Server): void {
    this.checks.writers();
    const clean = server.process === "running";
    if (clean && !server.standby) {
      server.writeShutdownCheckpoint();
      for (const node of this.nodes) this.#stream(node.server, false);
      this.checks.stoppedCleanly(server);
    }
    server.die(clean);
    this.#wakeOf(server);
  }

  /** The server is killed, by us or by chance. */
  die(server: Server, clean: boolean): void {
    this.checks.writers();
    server.die(clean);
    this.#wakeOf(server);
  }

  #checkpointAt(server: Server, delayMs: number): void {
    const { epoch } = server;
    this.scheduler.at(this.scheduler.nowMs + delayMs, () => {
      if (server.epoch === epoch) server.checkpoint();
    });
  }

  #wakeOf(server: Server): void {
    this.node(server.name)?.wake();
  }

  #lockTaken(name: string): void {
    const { lockWish, status } = this.store;
    const isVerified = lockWish !== null && lockWish.revision === status.handoverRevision;
    if (isVerified && lockWish.candidate === name) this.faults.count("verified-handover");
    this.checks.lockTaken(name);
  }

  #lockGone(): void {
    for (const node of this.nodes) {
      if (!this.network.storeDown && !this.network.storeCut.has(node.name)) node.wake();
    }
  }

  /** Once a second: clients write, standbys receive, leases run out, writers are looked at. */
  *#pump(): Steps<void> {
    while (true) {
      yield PUMP_MS;
      this.store.expire(this.scheduler.nowMs);
      for (const { server } of this.nodes) {
        if (server.writable && server.diskFull) this.die(server, false);
        else if (server.writable && !server.shuttingDown) server.write();
      }
      for (const { server } of this.nodes) this.#stream(server, this.random.chance(0.2));
      this.checks.writers();
    }
  }

  #stream(server: Server, lags: boolean): void {
    const source = server.upstream === null ? null : this.server(server.upstream);
    server.streaming = source !== null && this.#mayStream(server, source);
    if (server.streaming && source !== null && !lags) server.receive(source.head);
  }

  #mayStream(server: Server, source: Server): boolean {
    if (server.process !== "running" || !server.standby || source.process !== "running") {
      return false;
    }
    if (
      server.diskFull || !this.linked(server.name, source.name) ||
      source.systemId !== server.systemId
    ) return false;
    if (!source.standby && !source.slots.has(slotNameOf(server.name))) return false;
    return server.head.lsn >= source.keepsFrom && contains(source.head, server.head);
  }

  #newNode(name: string, index: number): SimNode {
    const last = index === this.plan.names.length - 1;
    const bootOffsetMs = this.random.between(1, 900) * 1_000_000;
    const nofailover = last && this.plan.lastIsBarred;
    return this.#makeNode(this, new SimulatedServer(name), { nofailover, bootOffsetMs });
  }
}

/** Reads what a callback has set meanwhile, which flow analysis cannot see. */
function answerOf<T>(read: () => { readonly value: T } | null): { readonly value: T } | null {
  return read();
}
