import { DcsUnreachable } from "../../../lib/base/errors.ts";
import type { Log } from "../../../lib/base/log.ts";
import { silentLog } from "../../../lib/base/log.ts";
import type { Decision } from "../../../lib/core/action.ts";
import { leaseTiming } from "../../../lib/core/lease_timing.ts";
import type { LeaseTiming } from "../../../lib/core/lease_timing.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import type { AskPeers } from "../../../lib/runtime/act.ts";
import { Agent } from "../../../lib/runtime/agent.ts";
import type { AgentOptions } from "../../../lib/runtime/agent.ts";
import { BackgroundJobs } from "../../../lib/runtime/background.ts";
import { withinClock } from "../../../lib/runtime/clock_deadline.ts";
import { feeding } from "../../../lib/runtime/fed_store.ts";
import type { LeaseFile } from "../../../lib/runtime/lease_file.ts";
import type { LeaseKeeper } from "../../../lib/runtime/lease_keeper.ts";
import { LiveBoard } from "../../../lib/runtime/live_board.ts";
import type { LiveMailbox } from "../../../lib/runtime/live_mailbox.ts";
import type { AskConsents } from "../../../lib/runtime/consents.ts";
import { Promises } from "../../../lib/runtime/promises.ts";
import { Recorder } from "../../../lib/runtime/recorder.ts";
import type { RecordedTick, TickFile } from "../../../lib/runtime/recorder.ts";
import type { TaskSlot } from "../../../lib/runtime/task_slot.ts";
import { WatchdogGuard } from "../../../lib/runtime/watchdog_guard.ts";
import { askAll } from "../act.ts";
import { askConsents } from "../consents.ts";
import type { PromiseKeeper } from "../consents.ts";
import { selfView } from "../member.ts";
import { leadsByConsents } from "../leads_by_consents.ts";
import type { SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Life } from "./life.ts";
import { PRODUCT_PARTS } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";
import { deviceOf, switchOf } from "./shell_safety.ts";
import { ShellDcs } from "./shell_dcs.ts";
import { ShellPostgres } from "./shell_postgres.ts";
import type { Hangs } from "./shell_postgres.ts";

/** What a member is told and given. */
export interface MemberOptions {
  readonly world: World;
  readonly node: SimNode & {
    readonly watchdogFault: string | null;
  };
  readonly life: Life;
  readonly leaseFile: LeaseFile;
  readonly hangs: Hangs;
  readonly onRound: (tick: RecordedTick) => void;
  readonly onTick: () => void;
  /** The store was reached: the loop begins. */
  readonly onLoop: () => void;
}

/** The product's own parts, wired as the composition root does, in one life. */
export interface Member {
  readonly agent: Agent;
  readonly keeper: LeaseKeeper;
  readonly mailbox: LiveMailbox;
  readonly board: LiveBoard;
  readonly tasks: TaskSlot;
  readonly promises: PromiseKeeper;
}

const STORE_RETRY_MS = 2000;
const DRAIN_MS = 5000;

/** Builds the parts; nothing runs yet. */
export function assemble(options: MemberOptions): Member & { run(): Promise<void> } {
  const { world, node, life, leaseFile } = options;
  const firstSettings = world.settings;
  const parts = { ...PRODUCT_PARTS, ...world.plan.sabotage };
  const log = logOf(options);
  const dcs = parts.dcs(new ShellDcs(world, node, life));
  const watchdog = watchdogOf(options, log, () => settings());
  const timing = (given: Settings): LeaseTiming => watchdog.budget(timingOf(given));
  const postgres = parts.postgres(new ShellPostgres(world, node, life, options.hangs));
  const mailbox = parts.mailbox(life);
  const settings = (): Settings => board.state().memory?.lastSettings ?? firstSettings;
  const promises = promisesOf(options, parts, () => timing(settings()).ttlMs, () => keeper);
  const keeper: LeaseKeeper = parts.keeper({
    store: feeding(dcs, life, (askedMs) => void watchdog.feed(askedMs)),
    clock: life,
    name: node.name,
    file: leaseFile,
    timing: () => timing(settings()),
    onLost: (why) => mailbox.wake(why),
    whyNotTake: () => promises.whyNotTake(),
    log,
    deadMan: switchOf(node.guards.deadMan, () => timing(settings())),
  });
  const board: LiveBoard = new LiveBoard(() => keeper.lease(), dcs.health());
  const tasks = parts.tasks({ clock: life, log, onEnd: () => mailbox.wake("a task has ended") });
  const background = new BackgroundJobs(log);
  const agent = new WatchedAgent({
    ports: {
      ...{ dcs, keeper, postgres, tasks, background, mailbox, watchdog, clock: life },
      ...identityOf(options),
      ...peerCalls(options, parts),
      promises,
    },
    ...{ mailbox, board, clock: life, log, firstSettings, timing },
    recorder: new WatchedRecorder(tickFile(node), log, options.onRound),
  }, options.onTick);
  const member = { agent, keeper, mailbox, board, tasks, promises };
  return { ...member, run: () => run(member, background, options, settings) };
}

function promisesOf(
  { world, node, life }: MemberOptions,
  parts: Required<Sabotage>,
  ttlMs: () => number,
  keeper: () => LeaseKeeper,
): PromiseKeeper {
  const isReaching = (): boolean => keeper().isReaching();
  const promises = new Promises({ clock: life, name: node.name, ttlMs, isReaching });
  return world.consents.watch(node.name, parts.promises(promises), {
    trueMs: () => world.scheduler.nowMs,
    ttlMs,
    holds: () => keeper().lease().kind === "held",
    isRelied: (to) => leadsByConsents(world.node(to)),
    broken: (why) => world.checks.promiseBroken(node.name, why),
  });
}

/** A device that fails is no fault of the agent. */
function watchdogOf(
  { world, node, life }: MemberOptions,
  log: Log,
  settings: () => Settings,
): WatchdogGuard {
  return new WatchdogGuard({
    mode: world.plan.watchdog.kind === "off" ? "off" : "automatic",
    safetyMarginS: world.plan.ttlS > 10 ? 5 : -1,
    device: deviceOf(node.guards.device, () => node.watchdogFault),
    settings,
    clock: life,
    log: { ...log, warn: log.debug, error: log.debug },
  });
}

function identityOf(
  { node, world }: MemberOptions,
): Pick<AgentOptions["ports"], "name" | "self" | "firstConfig"> {
  const { ttlS, loopWaitS } = world.settings;
  const firstConfig = { ttl: ttlS, loop_wait: loopWaitS };
  return { name: node.name, self: selfView(node), firstConfig };
}

function peerCalls(
  { life, node, world }: MemberOptions,
  parts: Required<Sabotage>,
): { readonly askPeers: AskPeers; readonly askConsents: AskConsents } {
  return {
    askPeers: async (members, signal) => {
      const names = members.map(({ name }) => name);
      return parts.peers(await life.perform(askAll(node, names, world), signal));
    },
    askConsents: async ({ members, sender, slots, ttlMs, tryMs }, signal) => {
      const request = { name: sender.name, slots, ttlMs };
      const round = { members: Object.keys(members), request, tryMs };
      return parts.consents(await life.perform(askConsents(node, round, world), signal));
    },
  };
}

function timingOf({ ttlS, loopWaitS }: Settings): LeaseTiming {
  return leaseTiming(ttlS, loopWaitS);
}

/** As the daemon: the store first, then the loop with the keeper beside it, then what is left. */
async function run(
  { agent, keeper, tasks }: Member,
  background: BackgroundJobs,
  { life, onLoop }: MemberOptions,
  settings: () => Settings,
): Promise<void> {
  const never = new AbortController().signal;
  while (!await reachesStore(keeper, life, settings)) await life.sleep(STORE_RETRY_MS, never);
  onLoop();
  const ending = new AbortController();
  const beside = keeper.run(ending.signal);
  await agent.run(ending.signal);
  ending.abort();
  await beside;
  await background.close();
  using deadline = withinClock(life, DRAIN_MS);
  await tasks.drain(deadline.signal);
}

async function reachesStore(
  keeper: LeaseKeeper,
  life: Life,
  settings: () => Settings,
): Promise<boolean> {
  using deadline = withinClock(life, settings().retryTimeoutS * 1000);
  try {
    await keeper.attach(deadline.signal);
    await keeper.view(deadline.signal);
    return true;
  } catch (error) {
    if (!(error instanceof DcsUnreachable)) throw error;
    return false;
  }
}

/** Ticks of a simulated agent are counted. */
class WatchedAgent extends Agent {
  readonly #onTick: () => void;

  constructor(options: AgentOptions, onTick: () => void) {
    super(options);
    this.#onTick = onTick;
  }

  override async tick(signal: AbortSignal): Promise<Decision> {
    const decision = await super.tick(signal);
    this.#onTick();
    return decision;
  }
}

/** Rounds of a simulated agent are looked at. */
class WatchedRecorder extends Recorder {
  readonly #onRound: (tick: RecordedTick) => void;

  constructor(file: TickFile, log: Log, onRound: (tick: RecordedTick) => void) {
    super(file, log);
    this.#onRound = onRound;
  }

  override record(tick: RecordedTick): void {
    super.record(tick);
    this.#onRound(tick);
  }
}

function tickFile({ server }: SimNode): TickFile {
  const write = (): Promise<void> =>
    server.diskFull ? Promise.reject(new Error("no space is left")) : Promise.resolve();
  return { append: write, replace: write };
}

/** An error of the log is for a human, so it must not happen here. */
function logOf({ world, node }: MemberOptions): Log {
  const error = (message: string): void => world.checks.fault(node, message);
  const warn = (message: string): void => world.log(node.name, `   ${message}`);
  return { ...silentLog, warn, error, critical: error };
}
