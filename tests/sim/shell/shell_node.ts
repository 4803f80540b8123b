import type { PromiseRequest } from "../../../lib/core/failsafe.ts";
import type {
  LeaseView,
  NodeView,
  OperatorWish,
  PeerReport,
  TaskView,
} from "../../../lib/core/node_view.ts";
import { mayBePrimary } from "../../../lib/core/rules/facts.ts";
import { statusDocument } from "../../../lib/core/status_document.ts";
import type { LeaseFile, StoredLease } from "../../../lib/runtime/lease_file.ts";
import { decodePeer } from "../../../lib/runtime/peers.ts";
import type { RecordedTick } from "../../../lib/runtime/recorder.ts";
import { excusesRound } from "../checks.ts";
import { HostGuards } from "../host_guards.ts";
import type { Host } from "../schedule.ts";
import type { Server } from "../server.ts";
import type { NodeOptions, SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Stir } from "./life.ts";
import { Life } from "./life.ts";
import type { Member } from "./shell_member.ts";
import { assemble } from "./shell_member.ts";

/** One host whose agent is the product's own loop with all its parts. */
export class ShellNode implements SimNode {
  readonly name: string;
  readonly server: Server;
  readonly nofailover: boolean;
  alive = false;
  wallJumpMs = 0;
  stalledMs = 0;
  readonly bootOffsetMs: number;
  readonly guards: HostGuards;
  /** Why the watchdog does not work now. */
  watchdogFault: string | null = null;
  readonly #world: World;
  readonly #stir: Stir;
  readonly #leaseFile: LeaseFile;
  readonly #hangs = new Set<"probe-hang" | "job-hang">();
  #life: Life;
  #member: Member | null = null;
  #rounds = 0;
  #answerLost = false;

  constructor(world: World, server: Server, stir: Stir, options: NodeOptions) {
    this.name = server.name;
    this.server = server;
    this.nofailover = options.nofailover;
    this.#world = world;
    this.#stir = stir;
    this.bootOffsetMs = options.bootOffsetMs;
    this.guards = new HostGuards(world, this);
    this.#leaseFile = new LeaseFileOf(server);
    this.#life = this.#newLife();
  }

  get host(): Host {
    return this.#life.host;
  }

  setWatchdog(state: Parameters<SimNode["setWatchdog"]>[0]): void {
    this.watchdogFault = state.kind === "unusable" ? state.why : null;
  }

  get awake(): boolean {
    return this.alive && !this.host.stalled;
  }

  bootMs(): number {
    return this.#world.scheduler.nowMs + this.bootOffsetMs;
  }

  start(): void {
    if (this.alive) return;
    this.alive = true;
    this.#hangs.clear();
    this.guards.deadMan?.inherit();
    this.#life = this.#newLife();
    this.#rounds = 0;
    this.#answerLost = false;
    const { host } = this;
    const member = assemble({
      world: this.#world,
      node: this,
      life: this.#life,
      leaseFile: this.#leaseFile,
      hangs: this.#hangs,
      onRound: (tick) => this.#roundEnded(tick),
      onTick: () => this.#tickEnded(),
      onLoop: () => this.#world.checks.agentBack(this),
    });
    this.#member = member;
    this.#world.checks.unfenced(this); // until the store was reached it does nothing
    this.#stir.set();
    void member.run().then(() => {
      this.#world.log(this.name, "exits");
      if (this.host !== host) return;
      this.#world.checks.unfenced(this);
      this.kill();
    });
  }

  kill(): void {
    this.alive = false;
    this.host.alive = false;
    this.#member = null;
  }

  wake(): void {
    this.#stir.set();
    this.#member?.mailbox.wake("the world has changed");
  }

  askToEnd(how: "shutdown" | "detach"): void {
    this.#stir.set();
    this.#member?.mailbox.post({ kind: how });
  }

  order(wish: OperatorWish): void {
    this.#member?.mailbox.post(wish);
  }

  forgetEnd(): void {
    for (const wish of this.#member?.mailbox.wishes() ?? []) this.#member?.mailbox.fulfil(wish);
  }

  hang(kind: "probe-hang" | "job-hang"): void {
    this.#hangs.add(kind);
  }

  leaseView(): LeaseView {
    return this.#member?.keeper.lease() ?? { kind: "none" };
  }

  taskView(): TaskView {
    return this.#member?.tasks.view() ?? { kind: "idle" };
  }

  /** The document of its own API, read as the product reads it. */
  report(): PeerReport {
    const { name } = this;
    const picture = this.#member?.board.state() ?? null;
    if (picture === null || this.#hangs.has("probe-hang")) {
      return { kind: "silent", name, why: "no answer" };
    }
    const postgres = this.server.view(this.#world.sendersOf(name));
    const view: NodeView | null = picture.view && { ...picture.view, postgres };
    const { decision, cluster, clusterSeenWallMs: dcsSeenWallMs } = picture;
    const lease = this.leaseView();
    const facts = { scope: "sim", name, nowMs: this.bootMs(), view, decision, lease, cluster };
    return decodePeer(name, statusDocument({ ...facts, dcsSeenWallMs, endpoints: [] }));
  }

  /** As its own API does (`lib/api/failsafe_api.ts`). */
  consent(request: PromiseRequest): string | null {
    const member = this.#member;
    if (member === null) return "no agent runs";
    const { cluster, memory, view } = member.board.state();
    if (view === null || memory === null || cluster === null) {
      return "nothing is known of the cluster";
    }
    if (!cluster.settings.failsafeMode) return "failsafe mode is disabled";
    if (mayBePrimary(view.postgres, memory)) return "Running as a leader";
    return member.promises.give(request);
  }

  #roundEnded({ view, memory, decision, outcomes }: RecordedTick): void {
    this.#rounds++;
    const round = this.#answerLost ? "excused" : this.#rounds;
    this.#world.checks.decided({ name: this.name, memory }, view, { decision, round });
    this.#answerLost ||= outcomes.some(excusesRound);
    const hasConsents = outcomes.some(({ action, result }) =>
      action.kind === "ask-consents" && result === "done"
    );
    if (hasConsents) this.#world.faults.count("consented");
    this.#world.trace.record(this, decision, outcomes);
  }

  #tickEnded(): void {
    this.#rounds = 0;
    this.#answerLost = false;
    this.#world.checks.tickEnded(this);
  }

  #newLife(): Life {
    const { scheduler } = this.#world;
    return new Life({
      scheduler,
      stir: this.#stir,
      bootMs: () => this.bootMs(),
      wallJumpMs: () => this.wallJumpMs,
    });
  }
}

/** The state file of a host; it outlives its agent, and nothing can be written to a full disk. */
class LeaseFileOf implements LeaseFile {
  readonly #server: Server;
  #stored: StoredLease | null = null;

  constructor(server: Server) {
    this.#server = server;
  }

  load(): Promise<StoredLease | null> {
    return Promise.resolve(this.#stored);
  }

  save(lease: StoredLease): Promise<void> {
    if (this.#server.diskFull) return Promise.reject(new Error("no space is left"));
    this.#stored = lease;
    return Promise.resolve();
  }
}
