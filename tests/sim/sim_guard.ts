import type { SwitchView } from "../../lib/core/switch_status.ts";
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
  #isSeen = false;
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

  /** The armed switch, as rules see it; from now on maintenance mode may lay it to rest. */
  view(): SwitchView | null {
    this.#isSeen = true;
    return this.#ports.deadMan?.view() ?? null;
  }

  /** A server may become writable: the switch is armed, also when maintenance mode had laid it to rest. */
  mayWrite(): boolean {
    const { deadMan, timing } = this.#ports;
    if (deadMan === null) return true;
    const lease = this.#claim.lease();
    if (deadMan.view() === null) {
      return lease.kind === "held" && deadMan.arm(switchDeadline(lease.endsMs, timing));
    }
    return deadMan.ready();
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
    const isHidden = !this.#isSeen && !this.#faults.restsUnseen;
    this.#isPaused = isPaused && !(isHidden && deadMan.view()?.inherited);
    if (this.#isPaused) return void deadMan.disarm();
    if (this.#faults.forgetsSwitch && deadMan.view() !== null) return;
    const endsMs = Math.max(lease.aliveMs + lease.ttlS * 1000, this.#consentedMs);
    const deadline = switchDeadline(endsMs, this.#ports.timing);
    const late = { ...deadline, stopAtMs: endsMs, immediateAtMs: endsMs, killAtMs: endsMs + 1000 };
    deadMan.arm(this.#faults.armsLate ? late : deadline);
  }
}
