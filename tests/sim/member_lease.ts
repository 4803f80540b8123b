import type { AliveLease } from "../../lib/runtime/session_lease.ts";
import type { KeeperPorts } from "./keeper_ports.ts";
import type { Steps } from "./schedule.ts";

const SURELY_GONE_MS = 2000;

/** The one lease of a member, in the way of `lib/runtime/session_lease.ts`. */
export class MemberLease {
  /** Survives the agent: the state file of the host. */
  id: string | null;
  /** Before its last extension was sent. */
  aliveMs: number;
  readonly #ports: KeeperPorts;

  constructor(ports: KeeperPorts, id: string | null) {
    this.#ports = ports;
    this.id = id;
    this.aliveMs = ports.bootMs();
  }

  /** Null when there is none. */
  current(): AliveLease | null {
    const { id, aliveMs } = this;
    return id === null ? null : { id, ttlS: this.#ports.timing.ttlMs / 1000, aliveMs };
  }

  /** Extends it; false when that is not known to have happened. */
  *keepAlive(): Steps<boolean> {
    const { id } = this;
    if (id === null) return false;
    const sentMs = this.#ports.bootMs();
    const answer = yield* this.#ports.ask(
      this.#ports.timing.endpointMs,
      (store) => store.keepAlive(this.#ports.trueMs(), id),
    );
    if (answer.kind === "lost") return false;
    if (answer.value) this.aliveMs = sentMs;
    else this.id = null;
    return answer.value;
  }

  /** The present one, or a new one in place of one that has surely run out; null when the store gave none. */
  *ensure(): Steps<string | null> {
    const goneMs = this.aliveMs + this.#ports.timing.ttlMs + SURELY_GONE_MS;
    if (this.id !== null && this.#ports.bootMs() <= goneMs) return this.id;
    return yield* this.grant();
  }

  /** A new one. */
  *grant(): Steps<string | null> {
    const { timing } = this.#ports;
    const sentMs = this.#ports.bootMs();
    const answer = yield* this.#ports.ask(
      timing.endpointMs,
      (store) => store.grant(this.#ports.trueMs(), timing.ttlMs),
    );
    if (answer.kind === "lost") return null;
    this.aliveMs = sentMs;
    this.id = answer.value;
    return answer.value;
  }
}
