import { unreachable } from "../../lib/base/never.ts";
import type { SimNode } from "./sim_node.ts";
import type { FaultKind } from "./plan.ts";
import { operate, writeIntoStore } from "./operator_faults.ts";
import type { Heal } from "./operator_faults.ts";
import type { Random } from "./random.ts";
import type { Steps } from "./schedule.ts";
import { Host } from "./schedule.ts";
import { helpOut } from "./healing.ts";
import { ail } from "./host_faults.ts";
import { Counts } from "./network.ts";
import type { World } from "./world.ts";

type NetworkFault = Extract<
  FaultKind,
  | "store-cut"
  | "reply-lost"
  | "store-slow"
  | "store-down"
  | "slow-server"
  | "clone-fails"
  | "peer-slow"
  | "peer-lost"
>;

/** Draws faults from its own numbers, so that a change of the rules does not change the faults of a seed. */
export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #heals = new Set<Heal>();
  readonly #troubled = new Counts();
  readonly #armed = new Counts();
  readonly #doomed = new Counts();
  /** How often each kind has struck. */
  readonly struck = new Map<string, number>();
  readonly #calmSinceMs = new Map<string, number>();
  #healing = false;
  #healedMs = 0;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Begins to draw. */
  start(): void {
    if (this.#world.plan.faults.size > 0) {
      this.#world.scheduler.spawn(this.#draw(), new Host());
    }
  }

  /** Ends every fault; agents that were killed start again, and an operator does what only one can do. */
  healAll(): void {
    this.#healing = true;
    for (const heal of [...this.#heals]) heal();
    this.#healedMs = this.#world.scheduler.nowMs;
    this.startExited();
  }

  /** As a service manager does: an agent that was on its way out when it was asked to stay has ended since. */
  startExited(): void {
    for (const node of this.#world.nodes) if (!node.alive) this.#startAgain(node);
    if (this.#healing) helpOut(this.#world, this.#world.scheduler.nowMs - this.#healedMs);
  }

  /** The worst moments: for a stall right after the job was ordered that needs the lease, for a kill within any job. */
  taskStarts(node: SimNode, kind: string): void {
    const needsLease = kind === "promote" || kind === "start-primary";
    if (needsLease && this.#armed.has(node.name)) {
      this.inflict("agent-stall", node, this.#durationMs());
    }
    if (this.#doomed.has(node.name)) this.#killSoon(node);
  }

  /**
   * The worst moment for a stall in failsafe mode: between the decision to take the lock and the request. By the time it is
   * sent the list that was looked at may be an old one.
   */
  reachesForLock(node: SimNode): void {
    this.#world.checks.reachesForLock(node.name);
    if (this.#world.plan.failsafe && this.#armed.has(node.name)) {
      this.inflict("agent-stall", node, this.#durationMs());
    }
  }

  /** Something has struck. */
  count(kind: string): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
  }

  /** True when nothing has befallen a host for that long. */
  isCalm(name: string, forMs: number): boolean {
    const since = this.#calmSinceMs.get(name) ?? 0;
    return !this.#troubled.has(name) && this.#world.scheduler.nowMs - since >= forMs;
  }

  *#draw(): Steps<void> {
    const { plan, nodes } = this.#world;
    const kinds = [...plan.faults];
    while (!this.#healing) {
      yield this.#random.between(1000, plan.faultEveryMs * 2);
      if (this.#healing) return;
      this.inflict(this.#random.pick(kinds), this.#random.pick(nodes), this.#durationMs());
    }
  }

  #durationMs(): number {
    const { ttlS } = this.#world.plan;
    return this.#random.between(500, ttlS * this.#random.pick([200, 1000, 3000]));
  }

  /** Lets one fault happen to a host, or to all where its kind is such, for a time. */
  inflict(kind: FaultKind, node: SimNode, durationMs: number): void {
    this.count(kind);
    this.#world.log(node.name, `-- ${kind} for ${(durationMs / 1000).toFixed(1)} s`);
    const end = this.#begin(kind, node);
    const wide = ["store-down", "slow-server", "clone-fails", "wipe", "peer-cut", "pause"].includes(
      kind,
    );
    const names = wide ? this.#world.plan.names : [node.name];
    const settle = names.map((name) => this.#troubled.add(name));
    const heal = (): void => {
      if (!this.#heals.delete(heal)) return;
      this.#world.log(node.name, `-- ${kind} ends`);
      end();
      for (const done of settle) done();
      for (const name of names) this.#calmSinceMs.set(name, this.#world.scheduler.nowMs);
    };
    this.#heals.add(heal);
    this.#world.scheduler.at(this.#world.scheduler.nowMs + durationMs, heal);
  }

  #begin(kind: FaultKind, node: SimNode): Heal {
    const { name } = node;
    switch (kind) {
      case "peer-cut":
        return this.#cutPeers(name);
      case "agent-stall":
      case "stall-in-task":
        return kind === "agent-stall" ? this.#stall(node) : this.#armed.add(name);
      case "kill-in-task":
        return this.#doomed.add(name);
      case "agent-kill":
      case "host-kill":
        return this.#kill(node, kind);
      case "switch-lost":
      case "data-spoiled":
      case "watchdog-fails":
      case "server-crash":
      case "server-silent":
      case "disk-full":
      case "wall-jump":
        return ail(kind, node, { world: this.#world, random: this.#random });
      case "probe-hang":
      case "job-hang":
        return this.#hang(node, kind);
      case "order":
      case "settings-raised":
      case "wal-removed":
        return operate(kind, node, { world: this.#world, random: this.#random });
      case "agent-shutdown":
      case "agent-detach":
        return this.#askToEnd(node, kind === "agent-detach" ? "detach" : "shutdown");
      case "handover":
      case "wipe":
      case "pause":
      case "failsafe-off":
        return writeIntoStore(kind, this.#world, this.#random);
      default:
        return this.#slowOrCut(kind, name);
    }
  }

  #slowOrCut(kind: NetworkFault, name: string): Heal {
    const { network } = this.#world;
    switch (kind) {
      case "store-cut":
        return network.storeCut.add(name);
      case "reply-lost":
        return network.lossy.add(name);
      case "store-slow":
        return network.slowStore.add(name);
      case "store-down":
        return network.raise("store");
      case "slow-server":
        return network.raise("slow");
      case "clone-fails":
        return network.raise("clone");
      case "peer-slow":
        return network.slowPeers.add(name);
      case "peer-lost":
        return network.lossyPeers.add(name);
      default:
        return unreachable(kind);
    }
  }

  #stall(node: SimNode): Heal {
    const { host } = node;
    const { checks, scheduler } = this.#world;
    const sinceMs = scheduler.nowMs;
    checks.unfenced(node);
    host.stalls++;
    return () => {
      host.stalls--;
      if (node.host !== host || !node.alive || host.stalled) return;
      node.stalledMs += scheduler.nowMs - sinceMs;
      checks.agentBack(node);
      scheduler.resume(host);
    };
  }

  #killSoon(node: SimNode): void {
    const { scheduler } = this.#world;
    const { host } = node;
    scheduler.at(scheduler.nowMs + this.#random.between(0, 3000), () => {
      if (node.host === host && node.alive) this.inflict("agent-kill", node, this.#durationMs());
    });
  }

  #cutPeers(name: string): Heal {
    const { network, plan } = this.#world;
    const other = this.#random.pick(plan.names);
    const ways = this.#random.pick([[[name, other]], [[name, other], [other, name]]]);
    const heals = ways.map(([from = "", to = ""]) => network.cutLink(from, to));
    return () => {
      for (const heal of heals) heal();
    };
  }

  /** Only a new process gets over it. */
  #hang(node: SimNode, kind: "probe-hang" | "job-hang"): Heal {
    const { host } = node;
    node.hang(kind);
    return () => {
      if (node.host !== host || !node.alive) return;
      this.#kill(node, "agent-kill")();
    };
  }

  /** A host that starts anew has neither server nor switch left of before. */
  #kill(node: SimNode, what: "agent-kill" | "host-kill"): Heal {
    if (what === "host-kill") node.guards.crash();
    else node.kill();
    this.#world.checks.unfenced(node);
    return () => this.#startAgain(node);
  }

  #askToEnd(node: SimNode, how: "shutdown" | "detach"): Heal {
    node.askToEnd(how);
    return () => this.#startAgain(node);
  }

  #startAgain(node: SimNode): void {
    if (node.alive) {
      node.forgetEnd();
      return;
    }
    this.#world.checks.agentBack(node);
    node.start();
  }
}
