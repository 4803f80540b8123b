import type { SwitchView } from "../../lib/core/switch_status.ts";
import type { LeaseSwitch } from "../../lib/runtime/lease_switch.ts";

/** The switch in memory: it says what it was told, and can be made to fail. */
export class MemorySwitch implements LeaseSwitch {
  endsMs: number | null = null;
  /** A process before this one has armed it. */
  inherited = false;
  /** "absent": no process can be had. "stuck": what is asked while armed fails. */
  fault: "none" | "absent" | "stuck" = "none";

  ready(): Promise<boolean> {
    return Promise.resolve(this.fault !== "absent");
  }

  renew(endsMs: number): Promise<boolean> {
    if (this.fault !== "none") return Promise.resolve(false);
    this.endsMs = endsMs;
    return Promise.resolve(true);
  }

  disarm(): Promise<boolean> {
    this.endsMs = null;
    this.inherited = false;
    return Promise.resolve(true);
  }

  rest(): Promise<boolean> {
    return this.disarm();
  }

  view(): SwitchView | null {
    return this.endsMs === null ? null : { endsMs: this.endsMs, inherited: this.inherited };
  }
}
