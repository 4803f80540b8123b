import type { SimNode } from "./sim_node.ts";
import { SimSwitch } from "./sim_switch.ts";
import { SimDevice } from "./sim_watchdog.ts";
import type { World } from "./world.ts";

/** What stands outside the agent on one host, and outlives it: the dead-man's switch and the timer of the watchdog. */
export class HostGuards {
  /** null: there is none. */
  readonly deadMan: SimSwitch | null;
  readonly device: SimDevice;
  readonly #world: World;
  readonly #node: SimNode;

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
    this.deadMan = world.plan.hasSwitch ? new SimSwitch(world, node) : null;
    const lateMs = world.plan.planted.lateWatchdog ? world.timing.ttlMs : 0;
    this.device = new SimDevice(world.scheduler, () => this.#reset(), lateMs);
  }

  /** Something outside the agent stops the server in time, or resets the host. */
  get isFenced(): boolean {
    return this.deadMan?.isKept === true || this.device.isRunning;
  }

  /** The host starts anew, by its watchdog or by chance: server, agent, switch and timer are gone. */
  crash(): void {
    const { server } = this.#node;
    if (server.process !== "off") this.#world.die(server, false);
    this.device.close();
    this.deadMan?.reboot();
    this.#node.kill();
  }

  #reset(): void {
    const { scheduler, random, faults } = this.#world;
    faults.count("watchdog-reset");
    this.#world.log(this.#node.name, "-- the watchdog resets the host");
    this.crash();
    scheduler.at(scheduler.nowMs + random.between(20_000, 60_000), () => this.#node.start());
  }
}
