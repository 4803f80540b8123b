import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { Settings } from "../core/settings.ts";
import { besideWatchdog, timeoutFault, watchdogTimeoutS } from "../core/watchdog.ts";
import type { WatchdogView } from "../core/watchdog.ts";
import type { WatchdogAnswer, WatchdogDevice } from "../host/port.ts";

/** What the guard is made of. */
export interface WatchdogOptions {
  readonly mode: "off" | "automatic" | "required";
  /** Seconds between the reset of the host and the end of the lease; -1: half of the ttl. */
  readonly safetyMarginS: number;
  readonly device: WatchdogDevice;
  /** The settings in force now. */
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Log;
}

type Accepted = Extract<WatchdogAnswer, { readonly kind: "done" }>;

/** The timer as it was last set. */
interface Running {
  readonly wantedS: number;
  readonly timeoutS: number;
}

/**
 * The host's watchdog of this member. It runs while the member leads, and each proof of the lock feeds it. One order at
 * a time; orders never throw.
 */
export class WatchdogGuard {
  readonly #options: WatchdogOptions;
  #running: Running | null = null;
  /** Why the last opening or feeding failed, and when: it is tried again a lease later. */
  #fault: { readonly why: string; readonly atMs: number } | null = null;
  #told: string | null = null;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** The watchdog as it stands, without touching the device. */
  state(): WatchdogView {
    const { mode, clock, settings } = this.#options;
    if (mode === "off") return { kind: "off" };
    if (this.#fault !== null && clock.bootMs() - this.#fault.atMs < settings().ttlS * 1000) {
      return this.#unusable(this.#fault.why);
    }
    if (this.#running !== null) return { kind: "active", timeoutS: this.#running.timeoutS };
    const fault = timeoutFault(this.#wantedS(), settings());
    return fault === null ? { kind: "ready" } : this.#unusable(fault);
  }

  /** The same, after a look at the closed device, which does not start it. */
  async look(): Promise<WatchdogView> {
    const state = this.state();
    const fault = state.kind === "ready" ? await this.#options.device.check() : null;
    const view = fault === null ? state : this.#unusable(fault);
    this.#tell(view.kind === "unusable" ? view.why : null);
    return view;
  }

  /** Once for each reason, so that nobody must wonder why a host has no watchdog. */
  #tell(why: string | null): void {
    if (why === this.#told) return;
    this.#told = why;
    const { mode, log } = this.#options;
    if (why === null) return;
    if (mode === "required") log.error(`This node must not lead, its watchdog is unusable: ${why}`);
    else log.info(`There is no watchdog to use: ${why}`);
  }

  /** The budget of a lease with the watchdog as it stands. */
  budget(timing: LeaseTiming): LeaseTiming {
    return besideWatchdog(timing, this.state());
  }

  /** Starts the timer unless it runs. */
  open(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running !== null || this.#options.mode === "off") return;
      const wantedS = this.#wantedS();
      const answer = await this.#options.device.open(wantedS);
      if (answer.kind === "failed") return this.#failed("open", answer.why);
      await this.#accept(wantedS, answer);
      if (this.#running !== null) {
        this.#options.log.info(`The watchdog runs with a timeout of ${answer.timeoutS} s`);
      }
    });
  }

  /**
   * The lock was proved by a request begun at `askedMs`. Fed only when the host would then still be reset before the
   * lease ends; a slow answer leaves the older feeding in force.
   */
  feed(askedMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const { device, clock, log, settings } = this.#options;
      if (this.#running === null) return;
      if (this.#running.wantedS !== this.#wantedS()) await this.#adjust();
      if (this.#running === null) return;
      const latestMs = askedMs + (settings().ttlS - this.#running.timeoutS) * 1000;
      if (clock.bootMs() > latestMs) {
        log.warn("The renewal took so long that the watchdog is not fed by it");
        return;
      }
      const fault = await device.keepAlive();
      if (fault !== null) await this.#drop("feed", fault);
    });
  }

  /** Ends the timer in order. A device that cannot be closed resets the host, which is logged. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running === null) return;
      const fault = await this.#options.device.close();
      this.#running = null;
      if (fault === null) this.#options.log.info("The watchdog is closed");
      else this.#options.log.error(`Cannot close the watchdog: ${fault}; the host may be reset`);
    });
  }

  /** Settings have changed under the running timer. */
  async #adjust(): Promise<void> {
    const wantedS = this.#wantedS();
    const answer = await this.#options.device.setTimeout(wantedS);
    if (answer.kind === "failed") await this.#drop("set", answer.why);
    else await this.#accept(wantedS, answer);
  }

  async #accept(wantedS: number, { timeoutS, note }: Accepted): Promise<void> {
    const fault = timeoutFault(timeoutS, this.#options.settings());
    if (fault !== null) return await this.#drop("use", fault);
    this.#running = { wantedS, timeoutS };
    this.#fault = null;
    if (timeoutS !== wantedS) {
      const why = note === undefined ? "" : `: ${note}`;
      const { log } = this.#options;
      log.warn(`The watchdog has a timeout of ${timeoutS} s, not of ${wantedS} s${why}`);
    }
  }

  /** The open device is of no use: closed, so that it does not reset a healthy host. */
  async #drop(verb: string, why: string): Promise<void> {
    this.#running = null;
    this.#failed(verb, why);
    await this.#options.device.close();
  }

  #failed(verb: string, why: string): void {
    const { mode, clock, log } = this.#options;
    this.#fault = { why, atMs: clock.bootMs() };
    const message = `Cannot ${verb} the watchdog: ${why}`;
    if (mode === "required") log.error(message);
    else log.warn(message);
  }

  #unusable(why: string): WatchdogView {
    return { kind: "unusable", required: this.#options.mode === "required", why };
  }

  #wantedS(): number {
    return watchdogTimeoutS(this.#options.settings().ttlS, this.#options.safetyMarginS);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      this.#options.log.error(`Cannot use the watchdog: ${String(error)}`);
    });
    return this.#queue;
  }
}
