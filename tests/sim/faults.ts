import { unreachable } from "../../lib/base/never.ts";
import type { SimNode } from "./sim_node.ts";
import type { FaultKind } from "./plan.ts";
import { writeIntoStore } from "./operator_faults.ts";
import type { Heal } from "./operator_faults.ts";
import type { Random } from "./random.ts";
import type { Steps } from "./schedule.ts";
import { Host } from "./schedule.ts";
import { ail } from "./host_faults.ts";
import { Counts } from "./network.ts";
import type { Server } from "./server.ts";
import { hasTwin } from "./wal.ts";
import type { World } from "./world.ts";

type NetworkFault = Extract<
  FaultKind,
  "store-cut" | "reply-lost" | "store-slow" | "store-down" | "slow-server" | "clone-fails"
>;

/** Draws faults from its own numbers, so that a change of the rules does not change the faults of a seed. */
export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #heals = new Set<Heal>();
  readonly #troubled = new Counts();
  readonly #stalled = new Counts();
  readonly #armed = new Counts();
  readonly #calmSinceMs = new Map<string, number>();
  #healing = false;

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

  /**
   * Ends every fault; agents that were killed start again. What only an operator can do is done: a key tree deleted
   * while nobody was primary is restored (case B6), directories of a bootstrap that came to nothing are removed, and
   * those on a timeline whose number another branch carries too (positions alone cannot tell them apart).
   */
  healAll(): void {
    this.#healing = true;
    for (const heal of [...this.#heals]) heal();
    for (const node of this.#world.nodes) node.start();
    this.#restoreIdentity();
    this.#removeUseless();
  }

  /** The worst moment for a stall: right after the job was ordered that needs the lease. */
  taskStarts(node: SimNode, kind: string): void {
    if (kind !== "promote" && kind !== "start-primary") return;
    if (this.#armed.has(node.name)) this.inflict("agent-stall", node, this.#durationMs());
  }

  /** True when nothing has befallen a host for that long. */
  isCalm(name: string, forMs: number): boolean {
    const since = this.#calmSinceMs.get(name) ?? 0;
    return !this.#troubled.has(name) && this.#world.scheduler.nowMs - since >= forMs;
  }

  #restoreIdentity(): void {
    const { nodes, store } = this.#world;
    if (store.initialize !== null || nodes.some(({ server }) => server.writable)) return;
    const newest = this.#newest();
    if (newest !== null) store.restoreIdentity(newest.systemId);
  }

  #removeUseless(): void {
    const { nodes, store } = this.#world;
    const founded = store.initialize?.value ?? "";
    const newest = this.#newest();
    for (const { server } of nodes) {
      const isHalf = founded === "" && server.data === "half-made";
      const isUsable = server.data === "usable";
      const isTwin = isUsable && newest !== null && hasTwin(newest.head, server.head);
      if (!isHalf && !isTwin && !(isUsable && this.#isForeign(server, founded))) continue;
      this.#crash(server);
      server.data = "none";
    }
  }

  #isForeign(server: Server, founded: string): boolean {
    const differs = founded !== "" && server.systemId !== founded;
    return differs && !this.#hasLed(server);
  }

  #hasLed({ systemId }: Server): boolean {
    return this.#world.checks.hasLed(systemId);
  }

  #newest(): Server | null {
    const usable = this.#world.nodes.map(({ server }) => server)
      .filter((server) => server.data === "usable");
    usable.sort((one, other) => other.head.branch.timeline - one.head.branch.timeline);
    return usable[0] ?? null;
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
      case "store-cut":
      case "reply-lost":
      case "store-slow":
      case "store-down":
      case "slow-server":
      case "clone-fails":
        return this.#slowOrCut(kind, name);
      case "peer-cut":
        return this.#cutPeers(name);
      case "agent-stall":
      case "stall-in-task":
        return kind === "agent-stall" ? this.#stall(node) : this.#armed.add(name);
      case "agent-kill":
      case "host-kill":
        return this.#kill(node, kind);
      case "switch-lost":
      case "watchdog-fails":
      case "server-crash":
      case "server-silent":
      case "disk-full":
      case "wall-jump":
        return ail(kind, node, { world: this.#world, random: this.#random });
      case "probe-hang":
      case "job-hang":
        return this.#hang(node, kind);
      case "agent-shutdown":
      case "agent-detach":
        return this.#askToEnd(node, kind === "agent-detach" ? "detach" : "shutdown");
      case "handover":
      case "wipe":
      case "pause":
        return writeIntoStore(kind, this.#world, this.#random);
      default:
        return unreachable(kind);
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
      default:
        return unreachable(kind);
    }
  }

  #crash(server: Server): void {
    if (server.process !== "off") this.#world.die(server, false);
  }

  #stall(node: SimNode): Heal {
    const { host } = node;
    this.#world.checks.unfenced(node);
    const end = this.#stalled.add(node.name);
    host.stalled = true;
    return () => {
      end();
      if (node.host === host && node.alive && !this.#stalled.has(node.name)) this.#resume(node);
    };
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
    if (what === "host-kill") node.crash();
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

  #resume(node: SimNode): void {
    this.#world.checks.agentBack(node);
    this.#world.scheduler.resume(node.host);
  }
}
