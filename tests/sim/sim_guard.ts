import { switchDeadline } from "../../lib/core/switch_status.ts";
import type { LockClaim } from "../../lib/runtime/lock_claim.ts";
import type { AliveLease } from "../../lib/runtime/session_lease.ts";
import type { KeeperFaults, KeeperPorts } from "./keeper_ports.ts";
import type { SimSwitch } from "./sim_switch.ts";
import type { Verdict } from "./store.ts";

/** Ties the claim to the host's switch, in the way of `lib/runtime/lease_switch.ts`. */
export class SimGuard {
  readonly #claim: LockClaim;
  readonly #ports: Pick<KeeperPorts, "deadMan" | "timing">;
  readonly #faults: KeeperFaults;
  #isPaused = false;
  #consentedMs = -Infinity;

  constructor(
    claim: LockClaim,
    ports: Pick<KeeperPorts, "deadMan" | "timing">,
    faults: KeeperFaults,
  ) {
    this.#claim = claim;
    this.#ports = ports;
    this.#faults = faults;
  }

  /** A server may become writable: the switch is armed, or maintenance mode wants none. */
  mayWrite(): boolean {
    const { deadMan } = this.#ports;
    return deadMan === null || this.#isPaused || deadMan.view() !== null && deadMan.ready();
  }

  /** disarm-switch: refused while the lock is held in time. */
  disarm(): Verdict {
    if (this.#claim.mayReattach() && !this.#faults.disarmsAlways) {
      return { kind: "refused", why: "the lock is held" };
    }
    this.#consentedMs = -Infinity;
    this.#ports.deadMan?.disarm();
    return { kind: "done" };
  }

  /** A proof counts only under the switch. */
  confirm(lease: AliveLease, isPaused: boolean): void {
    const { deadMan } = this.#ports;
    if (this.#claim.kind() !== "held") this.#consentedMs = -Infinity;
    if (deadMan !== null && this.#claim.accepts(lease)) this.#arm(deadMan, lease, isPaused);
    this.#claim.confirm(lease);
  }

  /** All members consent until this end: first the switch lasts until then, then the claim. */
  extend(term: number, endsMs: number): boolean {
    const { deadMan, timing } = this.#ports;
    if (!this.#claim.mayExtend(term, endsMs)) return false;
    this.#consentedMs = Math.max(this.#consentedMs, endsMs);
    deadMan?.arm(switchDeadline(this.#consentedMs, timing));
    return this.#claim.extend(term, endsMs);
  }

  #arm(deadMan: SimSwitch, lease: AliveLease, isPaused: boolean): void {
    if (this.#isPaused && this.#faults.staysDisarmed) return;
    this.#isPaused = isPaused;
    if (isPaused) return void deadMan.disarm();
    if (this.#faults.forgetsSwitch && deadMan.view() !== null) return;
    const endsMs = Math.max(lease.aliveMs + lease.ttlS * 1000, this.#consentedMs);
    const deadline = switchDeadline(endsMs, this.#ports.timing);
    const late = { ...deadline, stopAtMs: endsMs, immediateAtMs: endsMs, killAtMs: endsMs + 1000 };
    deadMan.arm(this.#faults.armsLate ? late : deadline);
  }
}
