import { LSN_ZERO } from "../../lib/core/lsn.ts";
import { silentLog } from "../../lib/base/log.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import type { PostgresView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";
import type { AskPeers } from "../../lib/runtime/act.ts";
import { Agent } from "../../lib/runtime/agent.ts";
import { BackgroundJobs } from "../../lib/runtime/background.ts";
import type { AskConsents } from "../../lib/runtime/consents.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import { LiveBoard } from "../../lib/runtime/live_board.ts";
import { LiveMailbox } from "../../lib/runtime/live_mailbox.ts";
import { Recorder } from "../../lib/runtime/recorder.ts";
import { TaskSlot } from "../../lib/runtime/task_slot.ts";
import { replica, self, SYSTEM_ID } from "../core/builders.ts";
import { MemoryLeaseFile, VirtualClock } from "./fakes.ts";
import { MemoryDcs } from "./memory_dcs.ts";
import { MemoryPostgres } from "./memory_postgres.ts";
import { MemorySwitch } from "./memory_switch.ts";

/** A loop over a store, a server and a switch in memory. */
export interface World {
  readonly clock: VirtualClock;
  readonly dcs: MemoryDcs;
  readonly postgres: MemoryPostgres;
  readonly keeper: LeaseKeeper;
  readonly mailbox: LiveMailbox;
  readonly board: LiveBoard;
  readonly tasks: TaskSlot;
  readonly agent: Agent;
  /** How the members answer in failsafe mode. */
  askConsents: AskConsents;
  /** How the other members answer. */
  askPeers: AskPeers;
}

/** A signal that never aborts. */
export const signal = new AbortController().signal;
const timing = ({ ttlS, loopWaitS }: Settings): LeaseTiming => leaseTiming(ttlS, loopWaitS);

/** `bootstrap.dcs` of its file, which changes nothing. */
export const FIRST_CONFIG = { maximum_lag_on_failover: defaultSettings.maximumLagOnFailover };

/** Member "a" with this server; the store is empty. */
export function world(server: PostgresView = replica(), firstSettings = defaultSettings): World {
  const clock = new VirtualClock();
  const dcs = new MemoryDcs(clock, firstSettings);
  const postgres = new MemoryPostgres(clock, server);
  const mailbox = new LiveMailbox(clock);
  const keeper = new LeaseKeeper({
    store: dcs,
    clock,
    name: "a",
    file: new MemoryLeaseFile(),
    timing: () => timing(firstSettings),
    onLost: (why) => mailbox.wake(why),
    log: silentLog,
    deadMan: new MemorySwitch(),
  });
  const board = new LiveBoard(() => keeper.lease(), dcs.health());
  const onEnd = (): void => mailbox.wake("a task has ended");
  const tasks = new TaskSlot({ clock, log: silentLog, onEnd });
  const askConsents: AskConsents = () => Promise.resolve([]);
  const askPeers: AskPeers = () => Promise.resolve([]);
  const parts = { clock, dcs, postgres, keeper, mailbox, board, tasks, askConsents, askPeers };
  return Object.assign(parts, { agent: agentOf(parts, firstSettings) });
}

function agentOf(parts: Omit<World, "agent">, firstSettings: Settings): Agent {
  const { clock, mailbox, board } = parts;
  const file = { append: () => Promise.resolve(), replace: () => Promise.resolve() };
  return new Agent({
    ports: {
      ...parts,
      name: "a",
      self: self(),
      background: new BackgroundJobs(silentLog),
      askPeers: (members, one) => parts.askPeers(members, one),
      askConsents: (request, one) => parts.askConsents(request, one),
      firstConfig: FIRST_CONFIG,
    },
    mailbox,
    board,
    recorder: new Recorder(file, silentLog),
    clock,
    log: silentLog,
    firstSettings,
    timing,
  });
}

/** A cluster that was founded before, with a free lock. */
export function founded(server?: PostgresView, settings = defaultSettings): World {
  const made = world(server, settings);
  made.dcs.store.initialize = { value: SYSTEM_ID, lease: null };
  made.dcs.store.config = { raw: {}, revision: 1n };
  made.dcs.store.status = { lsn: LSN_ZERO, slots: {}, retainSlots: [] };
  return made;
}
