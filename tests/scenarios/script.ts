import type { FaultKind } from "../sim/plan.ts";
import { FAULT_KINDS } from "../sim/plan.ts";
import { productBrain } from "../sim/brain.ts";
import { World } from "../sim/world.ts";
import { firstRecord } from "../sim/wal.ts";

import { orderCopy, orderRestart, scheduleSwitchover } from "./orders.ts";

const FOREVER_MS = 1e9;

/** What a transcript prints for its commands, and which rules answered meanwhile. */
export interface Played {
  readonly text: string;
  readonly rules: ReadonlySet<string>;
}

/**
 * Plays the commands of a transcript and writes it anew. A block is a line of commands separated by `;`, a line
 * `----`, and what was seen; blocks are separated by empty lines. Commands:
 * `cluster a=primary b=replica`, `safe a=primary b=replica` (in failsafe mode), `rewinding a=primary b=replica` (with pg_rewind), `empty a b c`, `advance 30s`, `FAULT NODE [30s]` with the kinds of the
 * simulator (without a time: until `heal`), `heal`, `wish LEADER CANDIDATE` (`-` for none), `foreign NODE`, `twin NODE`,
 * `watchdog NODE works|fails` (required on this node), `status`; of an operator: `restart NODE [in 30s]`,
 * `reinitialize NODE [force]`, `schedule LEADER CANDIDATE 30s` (a switchover).
 */
export function play(transcript: string): Played {
  const stage = new Stage();
  const blocks = transcript.trim().split(/\n\s*\n/);
  const written = blocks.map((block) => {
    const [commands = ""] = block.split("\n----");
    if (commands.startsWith("#")) return commands;
    for (const command of commands.split(/[;\n]/)) stage.run(command.trim());
    return `${commands}\n----\n${stage.takeLines()}`;
  });
  return { text: `${written.join("\n\n")}\n`, rules: stage.rules() };
}

class Stage {
  #world: World | null = null;
  #lines: string[] = [];

  run(command: string): void {
    const [verb = "", ...words] = command.split(/\s+/);
    if (["cluster", "rewinding", "safe", "empty"].includes(verb)) {
      this.#world = this.#build(verb, words);
    } else if (verb !== "") this.#order(verb, words);
  }

  takeLines(): string {
    const text = this.#lines.join("\n");
    this.#lines = [];
    return text;
  }

  rules(): ReadonlySet<string> {
    return new Set(this.#world?.trace.rules.keys());
  }

  #build(verb: string, words: readonly string[]): World {
    const names = words.map((word) => word.split("=")[0] ?? "");
    const world = new World(
      {
        seed: 1,
        ticks: 0,
        names,
        ttlS: 30,
        loopWaitS: 10,
        faults: new Set(),
        faultEveryMs: 0,
        lastIsBarred: false,
        planted: {},
        sabotage: {},
        steady: true,
        hasSwitch: true,
        watchdog: { kind: "off" },
        failsafe: verb === "safe",
        rewinds: verb === "rewinding",
      },
      productBrain,
      ({ seconds, who, text }) => {
        if (!text.startsWith("--")) this.#lines.push(`${stamp(seconds)} ${who} ${text}`);
      },
    );
    if (verb !== "empty") found(world, words);
    for (const node of world.nodes) node.start();
    return world;
  }

  #order(verb: string, words: readonly string[]): void {
    const world = this.#world;
    const [first = "", second = "", third = ""] = words;
    if (world === null) throw new TypeError(`Cannot ${verb}: no cluster yet`);
    if (verb === "advance") return world.runUntil(world.scheduler.nowMs + milliseconds(first));
    if (verb === "heal") return world.faults.healAll();
    if (verb === "status") return void this.#lines.push(...status(world));
    if (verb === "foreign") return makeForeign(world, first);
    if (verb === "twin") return makeTwin(world, first);
    if (verb === "watchdog") return setWatchdog(world, first, second);
    if (verb === "wish") return wish(world, first, second);
    if (verb === "schedule") {
      const names = { leader: first, candidate: second };
      return scheduleSwitchover(world, names, milliseconds(third));
    }
    if (verb === "restart") {
      return orderRestart(world, first, third === "" ? null : milliseconds(third));
    }
    if (verb === "reinitialize") return orderCopy(world, first, second);
    const node = world.node(first) ?? world.nodes[0];
    if (node === undefined) throw new TypeError(`Cannot ${verb} "${first}": no such member`);
    world.faults.inflict(faultOf(verb), node, second === "" ? FOREVER_MS : milliseconds(second));
  }
}

function faultOf(verb: string): FaultKind {
  const kind = FAULT_KINDS.find((known) => known === verb);
  if (kind === undefined) throw new TypeError(`Cannot play "${verb}": no such command`);
  return kind;
}

function milliseconds(text: string): number {
  const [, number] = /^(\d+)s$/.exec(text) ?? [];
  if (number === undefined) throw new TypeError(`Cannot read "${text}" as seconds`);
  return Number(number) * 1000;
}

function stamp(seconds: number): string {
  return `${seconds.toFixed(1).padStart(6)}s`;
}

function wish(world: World, leader: string, candidate: string): void {
  world.store.wish(leader === "-" ? null : leader, candidate === "-" ? null : candidate);
  for (const node of world.nodes) node.wake();
}

/** The data directory of another cluster under a member's agent. */
function makeForeign(world: World, name: string): void {
  const server = world.server(name);
  if (server !== null) server.systemId = world.nextSystemId();
}

/** The same timeline number and position on another branch: what two promotions from one point leave. */
function makeTwin(world: World, name: string): void {
  const server = world.server(name);
  if (server === null) throw new TypeError(`Cannot find member "${name}"`);
  const { head } = server;
  server.head = { ...head, branch: { ...head.branch } };
}

/** A watchdog that the configuration requires. */
function setWatchdog(world: World, name: string, state: string): void {
  const node = world.node(name);
  if (node === null) throw new TypeError(`Cannot find member "${name}"`);
  const broken = { kind: "unusable", required: true, why: "no such device" } as const;
  node.setWatchdog(state === "works" ? { kind: "ready" } : broken);
  node.wake();
}

/** A cluster that has been running: one primary without the lock, its replicas, and their data. */
function found(world: World, words: readonly string[]): void {
  const systemId = world.nextSystemId();
  const head = firstRecord();
  const [primary = ""] =
    words.map((word) => word.split("=")).find(([, role]) => role === "primary") ??
      [];
  for (const { name, server } of world.nodes) {
    server.initialize(systemId);
    server.data = "usable";
    server.head = head;
    server.standby = name !== primary;
    server.upstream = name === primary ? null : primary;
    server.spawn(0);
    server.accept();
    for (const other of world.nodes) if (other.name !== name) server.slots.add(other.name);
  }
  world.store.initialize = { value: systemId, lease: null };
  world.store.status = { lsn: head.lsn, slots: {}, retainSlots: [] };
  world.store.config = { raw: { ttl: 30, loop_wait: 10, retry_timeout: 10 }, revision: 1n };
}

function status(world: World): string[] {
  return world.nodes.map(({ name, server, alive }) => {
    const lock = world.store.lock?.value === name ? ", has the lock" : "";
    const agent = alive ? "" : ", no agent";
    return `${stamp(world.scheduler.nowMs / 1000)} ${name} = ${role(server)}${lock}${agent}`;
  });
}

function role(server: World["nodes"][number]["server"]): string {
  const { data, process, standby, streaming, upstream } = server;
  if (data !== "usable") return data === "none" ? "empty" : "half-made";
  const timeline = `timeline ${server.head.branch.timeline}`;
  if (process !== "running") return `${process}, ${timeline}`;
  if (!standby) return `primary, ${timeline}`;
  return `replica of ${upstream ?? "nobody"}${streaming ? ", streaming" : ""}, ${timeline}`;
}
