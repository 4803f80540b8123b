import type { Violation } from "./checks.ts";
import type { Server } from "./server.ts";
import type { WalRecord } from "./wal.ts";
import { contains } from "./wal.ts";
import type { World } from "./world.ts";

const CALM_MS = 60_000;
/** A server may still write between the question of the race and the promotion. */
const QUIET_MS = 10_000;

/** What is promised of a member that becomes the primary: it may, and nothing that was acknowledged is missing. */
export class PromotionPromises {
  readonly #world: World;
  readonly #report: (kind: Violation["kind"], node: string, what: string) => void;
  #clean:
    | { readonly record: WalRecord; readonly heirs: readonly string[]; readonly atMs: number }
    | null = null;

  constructor(world: World, report: (kind: Violation["kind"], node: string, what: string) => void) {
    this.#world = world;
    this.#report = report;
  }

  /** Right before a standby leaves recovery; `wroteMs`: when anybody was last seen writing. */
  promoted(server: Server, wroteMs: number): void {
    this.#checkNewest(server, wroteMs);
    this.#checkAllowed(server);
    const clean = this.#clean;
    this.#clean = null;
    if (clean === null || this.#isOrdered(server)) return;
    const sinceMs = this.#world.scheduler.nowMs - clean.atMs;
    const heir = clean.heirs.find((name) => this.#world.faults.isCalm(name, sinceMs + CALM_MS));
    if (heir !== undefined && !contains(server.head, clean.record)) {
      this.#report("acknowledged-write-lost", server.name, `${heir} had everything`);
    }
  }

  /** A primary ended with its shutdown checkpoint; the standbys that streamed have all of it. */
  stoppedCleanly(server: Server): void {
    const record = server.head.before ?? server.head;
    const heirs = this.#world.nodes.filter((node) =>
      node.server.streaming && node.server.upstream === server.name && !node.nofailover
    ).map((node) => node.name);
    this.#clean = { record, heirs, atMs: this.#world.scheduler.nowMs };
  }

  /**
   * Took the lock while an operator's failover named this very member, without a leader to switch over from. Such an order is
   * carried out without a look at anybody's WAL, as in Patroni: it is for the case that the operator knows more than the
   * members do, and what the candidate lacks is lost by his wish. A switchover promises more, so it is not excused.
   */
  #isOrdered({ name }: Server): boolean {
    const { lock, lockWish } = this.#world.store;
    return lock?.value === name && lockWish?.candidate === name && lockWish.leader === null;
  }

  /** A failover takes the member with the newest WAL among those that nothing has troubled; an operator may differ. */
  #checkNewest(server: Server, wroteMs: number): void {
    const { faults, nodes } = this.#world;
    const { nowMs } = this.#world.scheduler;
    if (this.#isOrdered(server) || nowMs - wroteMs < QUIET_MS) return;
    const former = this.#world.store.lockWish?.leader ?? null;
    const ahead = nodes.find((node) =>
      node.awake && !node.nofailover && node.name !== former && node.server.standby &&
      node.server.process === "running" &&
      faults.isCalm(node.name, CALM_MS) && node.server.head.lsn > server.head.lsn &&
      node.server.head.branch.timeline >= server.head.branch.timeline
    );
    if (ahead !== undefined && faults.isCalm(server.name, CALM_MS)) {
      this.#report("older-wal-promoted", server.name, `${ahead.name} has more`);
    }
  }

  #checkAllowed({ name }: Server): void {
    const node = this.#world.node(name);
    if (node?.nofailover) this.#report("barred-promoted", name, "it is tagged nofailover");
  }
}
