import type { Settings } from "../../lib/core/settings.ts";
import { timeoutFault, watchdogTimeoutS } from "../../lib/core/watchdog.ts";
import type { WatchdogView } from "../../lib/core/watchdog.ts";
import type { Scheduler } from "./schedule.ts";

/** The timer of a host: it outlives the agent, and resets the host unless it is fed or closed in order. */
export class SimDevice {
  readonly #scheduler: Scheduler;
  readonly #onReset: () => void;
  readonly #lateMs: number;
  #timeoutMs = 0;
  #bitesMs = Infinity;
  #plannedMs = Infinity;

  /** `lateMs`: a deliberate fault. */
  constructor(scheduler: Scheduler, onReset: () => void, lateMs = 0) {
    this.#scheduler = scheduler;
    this.#lateMs = lateMs;
    this.#onReset = onReset;
  }

  /** It runs. */
  get isRunning(): boolean {
    return this.#bitesMs !== Infinity;
  }

  /** Starts it, or gives it another timeout. */
  open(timeoutS: number): void {
    this.#timeoutMs = timeoutS * 1000;
    this.keepAlive();
  }

  /** Begins the timeout anew. */
  keepAlive(): void {
    this.#bitesMs = this.#scheduler.nowMs + this.#timeoutMs + this.#lateMs;
    this.#plan();
  }

  /** Ends it: in order, or because the host has started anew. */
  close(): void {
    this.#bitesMs = Infinity;
  }

  #plan(): void {
    if (this.#plannedMs <= this.#bitesMs) return;
    const atMs = this.#bitesMs;
    this.#plannedMs = atMs;
    this.#scheduler.at(atMs, () => {
      this.#plannedMs = Infinity;
      if (this.#bitesMs === Infinity) return;
      if (this.#bitesMs > this.#scheduler.nowMs) return this.#plan();
      this.close();
      this.#onReset();
    });
  }
}

/** How the rules of the first level use the timer, in the way of `lib/runtime/watchdog_guard.ts`. */
export class SimWatchdog {
  readonly #device: SimDevice;
  readonly #settings: Settings;
  readonly #marginS: number;
  /** As a transcript or the plan says. */
  state: Exclude<WatchdogView, { kind: "active" }>;
  #isOpen = false;

  constructor(device: SimDevice, settings: Settings, state: SimWatchdog["state"], marginS: number) {
    this.#device = device;
    this.#settings = settings;
    this.#marginS = marginS;
    this.state = state;
  }

  /** What the rules see. */
  view(): WatchdogView {
    if (this.state.kind !== "ready") return this.state;
    if (this.#isOpen) return { kind: "active", timeoutS: this.#timeoutS() };
    const why = timeoutFault(this.#timeoutS(), this.#settings);
    return why === null ? this.state : { kind: "unusable", required: false, why };
  }

  /** A new agent knows nothing of the one before; the timer goes on. */
  newProcess(): void {
    this.#isOpen = false;
  }

  open(): void {
    if (this.view().kind !== "ready") return;
    this.#isOpen = true;
    this.#device.open(this.#timeoutS());
  }

  /** A proof of the lock that was asked for at `askedMs`, and came at `nowMs`. */
  feed(askedMs: number, nowMs: number): void {
    if (!this.#isOpen) return;
    const latestMs = askedMs + (this.#settings.ttlS - this.#timeoutS()) * 1000;
    if (nowMs <= latestMs) this.#device.keepAlive();
  }

  close(): void {
    this.#isOpen = false;
    this.#device.close();
  }

  #timeoutS(): number {
    return watchdogTimeoutS(this.#settings.ttlS, this.#marginS);
  }
}
