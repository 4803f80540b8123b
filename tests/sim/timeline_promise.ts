import { clusterTimeline, isLimited, tellsNothing } from "../../lib/core/candidate.ts";
import type { Violation } from "./checks.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Answers that are older than this belong to another race. */
const RACE_MAX_MS = 60_000;

/**
 * Nobody writes on an older timeline than somebody has written on before, except for what asynchronous replication gives up: a
 * leader ended on a timeline that was never streamed to the member that won the lock after it, before it could write its line
 * into the history, and no member that has that timeline, is listed and may lead could answer when the winner asked. Nothing in the world
 * told the winner of it then, and `maximum_lag_on_failover`, which counts from what the last leader reported, allows it. An
 * operator has his say as in `PromotionPromises`: a failover takes its candidate as it is, and the former leader of a
 * switchover does not count.
 */
export class TimelinePromise {
  readonly #world: World;
  readonly #report: (kind: Violation["kind"], node: string, what: string) => void;
  /** By system identifier; "" stands for all. */
  readonly #newest = new Map<string, number>();
  /** When each member last asked the others, and whether nobody could tell it of a newer timeline. */
  readonly #asked = new Map<string, { readonly atMs: number; readonly isUntold: boolean }>();
  /** Who took the lock by an order, or while nobody could tell of these newer timelines. */
  readonly #untold = new Map<string, number>();
  #wiped = false;

  constructor(world: World, report: (kind: Violation["kind"], node: string, what: string) => void) {
    this.#world = world;
    this.#report = report;
  }

  /** The key tree is deleted: beside no running primary, a member without data or memory may found another system then. */
  wiped(): void {
    this.#wiped = true;
  }

  /** A member asks these others now. */
  asks(server: Server, names: readonly string[]): void {
    const atMs = this.#world.scheduler.nowMs;
    const known = new Set([...names, ...this.#world.store.members.keys()]);
    this.#asked.set(server.name, { atMs, isUntold: this.#isUntold(server, known) });
  }

  /** The lock got another holder. */
  lockTaken(server: Server): void {
    this.#untold.delete(server.name);
    const asked = this.#asked.get(server.name);
    const isOld = (asked?.atMs ?? -Infinity) < this.#world.scheduler.nowMs - RACE_MAX_MS;
    const { lockWish } = this.#world.store;
    const isOrdered = lockWish?.candidate === server.name && lockWish.leader === null;
    if (!isOrdered && (isOld || asked?.isUntold !== true)) return;
    this.#untold.set(server.name, this.#newest.get(server.systemId) ?? 0);
  }

  /** This server writes, and is the only one that may. */
  writes({ head, name, systemId }: Server): void {
    const { timeline } = head.branch;
    const key = this.#wiped ? systemId : "";
    const newest = this.#newest.get(key) ?? 0;
    const isGivenUp = timeline < newest && this.#untold.get(name) === newest;
    if (isGivenUp) this.#world.faults.count("timeline-given-up");
    else if (timeline < newest) {
      this.#report("timeline-goes-back", name, `${newest} to ${timeline}`);
    }
    for (const system of ["", systemId]) {
      const known = isGivenUp ? 0 : this.#newest.get(system) ?? 0;
      this.#newest.set(system, Math.max(known, timeline));
    }
  }

  /** The store was not emptied, but neither its history nor any member of these that would answer knows a newer timeline. */
  #isUntold({ head, name }: Server, known: ReadonlySet<string>): boolean {
    const { nodes, store } = this.#world;
    const { timeline } = head.branch;
    if (tellsNothing(store.read()) || clusterTimeline(store.history) > timeline) return false;
    return nodes.every((node) => {
      const isFormer = store.handover?.leader === node.name && !node.server.writable;
      if (
        isFormer || !known.has(node.name) || !node.awake || !this.#world.linked(name, node.name)
      ) return true;
      const report = node.report();
      return report.kind !== "answered" || isLimited(report) || report.timeline <= timeline;
    });
  }
}
