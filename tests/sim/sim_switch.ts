import type { SwitchDeadline, SwitchView } from "../../lib/core/switch_status.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** The host of a switch. */
export interface SwitchHost {
  readonly name: string;
  readonly server: Server;
  /** Its agent runs now: it looks after the switch. */
  readonly awake: boolean;
  /** What its boot clock is ahead of true time. */
  readonly bootOffsetMs: number;
}

type Stage = "INT" | "QUIT" | "KILL";

const LOOK_MS = 1000;
const SIGNAL_MS = 50;

/**
 * The dead-man's switch of one host: it outlives its agent, sleeps at most a second past its deadline, and stops whatever
 * server runs there, gently first, until it is renewed or laid to rest. A living agent replaces a lost one within a second.
 */
export class SimSwitch {
  readonly #world: World;
  readonly #host: SwitchHost;
  #deadline: SwitchDeadline | null = null;
  #inherited = false;
  #runs = false;
  #isLost = false;
  #isNeglected = false;
  #plannedMs = Infinity;
  #sent = "";
  #firstEpoch = 0;

  constructor(world: World, host: SwitchHost) {
    this.#world = world;
    this.#host = host;
  }

  /** What is in force; null: not armed. */
  view(): SwitchView | null {
    const inherited = this.#inherited;
    return this.#deadline === null ? null : { endsMs: this.#deadline.endsMs, inherited };
  }

  /** Its process has not been lost, or was and the agent did not do its duty: it is for the agent to start it at all. */
  get isKept(): boolean {
    return this.#runs || !this.#isLost || this.#isNeglected;
  }

  /** Starts its process if there is none. */
  ready(): boolean {
    this.#run();
    return true;
  }

  /** Orders it to obey this deadline. */
  arm(deadline: SwitchDeadline): boolean {
    if (this.#deadline === null) this.#firstEpoch = this.#host.server.epoch;
    this.#deadline = deadline;
    this.#run();
    this.#plan(deadline.stopAtMs);
    return true;
  }

  /** Lays it to rest. */
  disarm(): boolean {
    this.#deadline = null;
    this.#inherited = false;
    return true;
  }

  /** A new agent takes it up with its old deadline. */
  inherit(): void {
    if (this.#deadline === null) return;
    if (this.#world.plan.planted.dropsSwitch) this.#deadline = null;
    if (this.#deadline === null) return;
    this.#inherited = true;
    this.#run();
    this.#plan(this.#deadline.stopAtMs);
  }

  /** Its process is killed. */
  lose(): void {
    this.#isLost ||= this.#runs;
    this.#runs = false;
    this.#world.scheduler.at(this.#world.scheduler.nowMs + LOOK_MS, () => this.#replace());
  }

  /** The host has started anew: nothing of it is left. */
  reboot(): void {
    this.#runs = false;
    this.#isLost = false;
    this.disarm();
  }

  #run(): void {
    this.#runs = true;
    this.#isLost = false;
  }

  #replace(): void {
    if (this.#runs || this.#deadline === null) return;
    if (!this.#host.awake) return this.lose();
    this.#isNeglected = this.#world.plan.planted.neverReplacesSwitch === true;
    if (this.#isNeglected) return;
    this.#world.log(this.#host.name, "-- starts another switch");
    this.#run();
    this.#plan(this.#deadline.stopAtMs);
  }

  #plan(atBootMs: number): void {
    const { scheduler } = this.#world;
    const atMs = scheduler.nowMs + Math.max(0, atBootMs - this.#bootMs());
    if (this.#plannedMs <= atMs && this.#plannedMs >= scheduler.nowMs) return;
    this.#plannedMs = atMs;
    scheduler.at(atMs, () => {
      if (this.#plannedMs !== atMs) return;
      this.#plannedMs = Infinity;
      this.#look();
    });
  }

  /** The host's clock, whatever its agent believes. */
  #bootMs(): number {
    return this.#world.scheduler.nowMs + this.#host.bootOffsetMs;
  }

  #look(): void {
    const deadline = this.#deadline;
    if (deadline === null || !this.#runs) return;
    const nowMs = this.#bootMs();
    if (nowMs < deadline.stopAtMs) return this.#plan(deadline.stopAtMs);
    this.#fence(stageAt(deadline, nowMs));
    const moments = [deadline.immediateAtMs, deadline.killAtMs].filter((atMs) => atMs > nowMs);
    this.#plan(Math.min(nowMs + LOOK_MS, ...moments));
  }

  #fence(stage: Stage): void {
    const { server, name } = this.#host;
    if (server.process === "off" || this.#isOverlooked(stage)) return;
    const signal = `${stage}:${server.epoch}`;
    if (signal === this.#sent) return;
    this.#sent = signal;
    this.#world.log(name, `-- the switch sends ${stage}`);
    this.#world.faults.count(`switch-${stage}`);
    if (stage === "KILL") return this.#world.die(server, false);
    if (stage === "INT") return this.#stopFast(server);
    if (this.#world.slowness() === 1) {
      this.#later(server, SIGNAL_MS, () => this.#world.die(server, false));
    }
  }

  /** Deliberate faults. */
  #isOverlooked(stage: Stage): boolean {
    const { switchKnowsOneProcess, switchOnlyAsks } = this.#world.plan.planted;
    const isOther = this.#host.server.epoch !== this.#firstEpoch;
    return (switchKnowsOneProcess === true && isOther) ||
      (switchOnlyAsks === true && stage !== "INT");
  }

  #stopFast(server: Server): void {
    const { random } = this.#world;
    if (server.process === "starting") {
      return this.#later(server, SIGNAL_MS, () => this.#world.die(server, false));
    }
    server.shuttingDown = true;
    const tookMs = random.between(100, 2000) * this.#world.slowness();
    this.#later(server, tookMs, () => this.#world.shutDown(server));
  }

  #later(server: Server, afterMs: number, work: () => void): void {
    const { epoch } = server;
    this.#world.scheduler.at(this.#world.scheduler.nowMs + afterMs, () => {
      if (server.epoch === epoch) work();
    });
  }
}

function stageAt({ immediateAtMs, killAtMs }: SwitchDeadline, nowMs: number): Stage {
  if (nowMs >= killAtMs) return "KILL";
  return nowMs >= immediateAtMs ? "QUIT" : "INT";
}
