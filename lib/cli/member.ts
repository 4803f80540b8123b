import type { ApiContext } from "../api/context.ts";
import { systemClock } from "../base/clock.ts";
import type { PartedLog } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { leaseTiming } from "../core/lease_timing.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { SelfView } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import type { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import type { PostgresManager } from "../postgres/manager.ts";
import type { ShellSwitch } from "../host/dead_man_switch.ts";
import { Agent } from "../runtime/agent.ts";
import { BackgroundJobs } from "../runtime/background.ts";
import type { Callbacks } from "../runtime/callbacks.ts";
import type { StoredLease } from "../runtime/lease_file.ts";
import type { LeaseKeeper } from "../runtime/lease_keeper.ts";
import { ManagedMark } from "../runtime/managed_mark.ts";
import { LiveBoard } from "../runtime/live_board.ts";
import { LiveMailbox } from "../runtime/live_mailbox.ts";
import type { Promises } from "../runtime/promises.ts";
import { Recorder, tickFile } from "../runtime/recorder.ts";
import type { TaskSlot } from "../runtime/task_slot.ts";
import type { WatchdogGuard } from "../runtime/watchdog_guard.ts";
import { WorkTally } from "../runtime/work_tally.ts";
import type { Access } from "./access.ts";
import type { AgentLog } from "./agent_log.ts";
import {
  memberCalls,
  openCallbacks,
  openServer,
  openStore,
  openTasks,
  relogin,
  settingsAtFirst,
} from "./adapters.ts";
import { openKeeper, openSwitch, openWatchdog } from "./safety_adapters.ts";
import { Reloader } from "./reload.ts";

/** One member with all its parts wired, nothing started yet. */
export interface Member {
  readonly agent: Agent;
  readonly keeper: LeaseKeeper;
  readonly deadMan: ShellSwitch;
  readonly mailbox: LiveMailbox;
  readonly dcs: EtcdDcs;
  readonly postgres: PostgresManager;
  readonly tasks: TaskSlot;
  readonly background: BackgroundJobs;
  readonly callbacks: Callbacks;
  readonly recorder: Recorder;
  /** Whether an agent of this host has led from the data directory. */
  readonly managed: ManagedMark;
  /** The budget of a lease in force now. */
  readonly timing: () => LeaseTiming;
  readonly apiContext: ApiContext;
  readonly access: Access;
  /** The cluster's settings in force now. */
  readonly settings: () => Settings;
  /** SIGHUP and `POST /reload`. */
  readonly reloader: Reloader;
}

const clock = systemClock;

/** What a reload needs of the process: reading the files again, and serving the API where they say. */
interface Renewals {
  readonly reread: () => Promise<AgentConfig>;
  readonly relisten: () => Promise<void>;
}

/** The process around a member, and what it found of the one before. */
interface Heritage extends Renewals {
  /** The lease that the process before has left; null: none. */
  readonly inherited: StoredLease | null;
}

/** Builds the adapters of a configuration and wires them; does no I/O. */
export function assembleMember(
  config: AgentConfig,
  access: Access,
  agentLog: AgentLog,
  { reread, relisten, inherited }: Heritage,
): Member {
  const firstSettings = settingsAtFirst(config, inherited);
  const parts = partsOf(config, { access, agentLog, firstSettings });
  const apply = async (next: AgentConfig): Promise<string | null> => {
    await access.reload(next, relisten);
    agentLog.reload(next.log);
    parts.postgres.reconfigure(next.postgresql);
    parts.callbacks.take(next.postgresql.hooks.callbacks);
    return await relogin(parts.dcs, next);
  };
  const announce = (): void => parts.mailbox.post({ kind: "reload", localConfig: null });
  const reloader = new Reloader({ config, reread, apply, announce, log: parts.log });
  return {
    ...parts,
    agent: agentOf(config, parts, reloader),
    apiContext: { ...apiContextOf(config, parts), reload: () => reloader.reload() },
    reloader,
  };
}

interface Parts extends Omit<Member, "agent" | "apiContext" | "reloader"> {
  readonly board: LiveBoard;
  readonly log: PartedLog;
  readonly agentLog: AgentLog;
  readonly tally: WorkTally;
  readonly firstSettings: Settings;
  readonly watchdog: WatchdogGuard;
  readonly calls: ReturnType<typeof memberCalls>;
  readonly promises: Promises;
}

type Given = Pick<Parts, "access" | "agentLog" | "firstSettings">;

function partsOf(config: AgentConfig, { access, agentLog, firstSettings }: Given): Parts {
  const { log } = agentLog;
  const tally = new WorkTally();
  const settings = (): Settings => board.state().memory?.lastSettings ?? firstSettings;
  const watchdog = openWatchdog(config, settings, log.part("watchdog"));
  const timing = (): LeaseTiming => watchdog.budget(timingOf(settings()));
  const dcs = openStore(config, access, () => timing().endpointMs, (end) => tally.storeCall(end));
  const mailbox = new LiveMailbox(clock);
  const onLost = (why: string): void => {
    log.part("lease").warn(`The lease changed by itself: ${why}`);
    mailbox.wake(why);
  };
  const deadMan = openSwitch(config, log.part("switch"));
  const keeperLog = log.part("lease");
  const safety = openKeeper(config, { dcs, watchdog, deadMan, timing, onLost, log: keeperLog });
  const board: LiveBoard = new LiveBoard(() => safety.keeper.lease(), dcs.health());
  return {
    ...safety,
    deadMan,
    mailbox,
    dcs,
    postgres: openServer(config, log.part("tasks")),
    tasks: openTasks({ log, mailbox, tally }),
    background: new BackgroundJobs(log.part("tasks")),
    callbacks: openCallbacks(config, log.part("callbacks")),
    watchdog,
    recorder: new Recorder(tickFile(config.stateDir), log.part("loop")),
    managed: new ManagedMark(config.stateDir, config.postgresql.dataDir),
    timing,
    settings,
    board,
    log,
    agentLog,
    tally,
    firstSettings,
    calls: memberCalls(access),
    access,
  };
}

function agentOf(config: AgentConfig, parts: Parts, local: Reloader): Agent {
  const { dcs, keeper, postgres, tasks, background, mailbox, board, recorder, log } = parts;
  const ports = {
    name: config.name,
    dcs,
    keeper,
    postgres,
    tasks,
    background,
    mailbox,
    watchdog: parts.watchdog,
    isManaged: () => parts.managed.isSet,
    lastFiring: () => parts.deadMan.status().firings.at(-1) ?? null,
    clock,
    ...parts.calls,
    promises: parts.promises,
    firstConfig: config.bootstrap?.dcs ?? {},
    get self(): SelfView {
      return local.self;
    },
  };
  return new Agent({
    ports,
    mailbox,
    board,
    recorder,
    clock,
    log: log.part("loop"),
    heartbeatRepeatMs: () => parts.agentLog.heartbeatRepeatMs(),
    firstSettings: parts.firstSettings,
    timing: (settings) => parts.watchdog.budget(timingOf(settings)),
    onTick: (tookMs) => parts.tally.tick(tookMs),
    onRound: (round) => {
      parts.callbacks.look(round);
      parts.tally.round(round.view, round.outcomes);
      if (round.view.lease.kind === "held") markManaged(parts);
    },
  });
}

/** A start of the next agent without the store must know; a disk that fails is tried again with the next round. */
function markManaged({ background, managed }: Parts): void {
  if (managed.isSet) return;
  background.start("the mark of a managed directory", async () => {
    await managed.set();
    return { kind: "done" };
  });
}

function apiContextOf({ name, scope }: AgentConfig, parts: Parts): Omit<ApiContext, "reload"> {
  const { board, mailbox, dcs, log, postgres, deadMan } = parts;
  return {
    name,
    scope,
    board,
    mailbox,
    dcs,
    clock,
    log: log.part("api"),
    access: () => parts.access.rules(),
    askPeers: parts.calls.askPeers,
    promises: parts.promises,
    probe: (signal) => postgres.probe(signal),
    deadMan: () => deadMan.status(),
    work: () => parts.tally.counts(parts.agentLog.dropped()),
    handoverLimitS: null,
  };
}

function timingOf(settings: Settings): LeaseTiming {
  return leaseTiming(settings.ttlS, settings.loopWaitS);
}
