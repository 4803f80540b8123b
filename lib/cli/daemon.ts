import { startApi } from "../api/server.ts";
import type { RunningApi } from "../api/server.ts";
import { systemClock } from "../base/clock.ts";
import { within } from "../base/deadline.ts";
import { ConfigError, DcsUnreachable, Refused } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { loadConfig } from "../config/load.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import { AGENT_VERSION, COMPATIBLE_VERSION } from "../core/version.ts";
import { debianServiceWarnings } from "../host/debian_service.ts";
import type { ServiceState, TellManager } from "../host/notify.ts";
import type { StoredLease } from "../runtime/lease_file.ts";
import { ReloadSignal, watchShutdown } from "../runtime/signals.ts";
import { Access } from "./access.ts";
import { certificateRemarks } from "./certificate_faults.ts";
import { openAgentLog } from "./agent_log.ts";
import type { AgentLog } from "./agent_log.ts";
import { foundingNote } from "./founding_note.ts";
import { FirstGuard } from "./first_guard.ts";
import { assembleMember } from "./member.ts";
import type { Member } from "./member.ts";
import { printFaults } from "./faults.ts";
import { leaseFileOf } from "./safety_adapters.ts";
import { isNameInUse, namePatienceMs } from "./name_check.ts";

/** The exit codes of a daemon that could not start: 78 is EX_CONFIG of sysexits(3). */
const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_CONFIG = 78;

/** Pause between tries to reach the store at the start. */
const STORE_RETRY_MS = 2000;
/** How long jobs that were told to end may take at the end of the process. */
const DRAIN_MS = 5000;

/**
 * Runs one member until it is told to end (SIGTERM, SIGINT). Returns the exit code: 0 after an orderly end, 78 for a
 * configuration that cannot be used, 1 for a port or name in use. The service manager is told as soon as the
 * configuration is taken and signals are heard: a store that is away must not hold the start of the host.
 */
export async function runDaemon(
  configPath: string,
  env: Readonly<Record<string, string>>,
  tellManager: TellManager,
): Promise<number> {
  using reloads = new ReloadSignal();
  const config = await loadOrComplain(configPath, env);
  if (config === null) return EXIT_CONFIG;
  const agentLog = openAgentLog(config.log);
  const { log } = agentLog;
  try {
    using _faults = logStrayFaults(log);
    await makeStateDir(config.stateDir);
    void warnOfServices(config, log); // the start waits for no file of the distribution
    const reread = (): Promise<AgentConfig> => loadConfig(configPath, env);
    const tell = tellOrLog(tellManager, log);
    return await runMember(config, agentLog, { reread, tell, reloads });
  } catch (error) {
    if (error instanceof ConfigError) {
      await printFaults(error);
      return EXIT_CONFIG;
    }
    if (!(error instanceof Refused)) throw error;
    log.critical(error.message);
    return EXIT_FAILED;
  } finally {
    await agentLog.close();
  }
}

/** A fault that nobody awaits, or of a timer, must not end the process, and with it the guard of a primary. */
function logStrayFaults(log: Log): Disposable {
  const tell = (event: Event, fault: unknown): void => {
    event.preventDefault();
    log.error(`Cannot account for a fault: ${String(fault)}`, traced(fault));
  };
  const onRejection = (event: PromiseRejectionEvent): void => tell(event, event.reason);
  const onError = (event: ErrorEvent): void => tell(event, event.error);
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    [Symbol.dispose]: () => {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}

function tellOrLog(tellManager: TellManager, log: Log): Around["tell"] {
  return async (state) => {
    const fault = await tellManager(state);
    if (fault !== null) log.warn(fault);
  };
}

async function warnOfServices({ postgresql }: AgentConfig, log: Log): Promise<void> {
  for (const warning of await debianServiceWarnings(postgresql.dataDir)) log.warn(warning);
}

async function makeStateDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Refused(`Cannot make the state directory ${path}: ${String(cause)}`, null, { cause });
  }
}

async function loadOrComplain(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<AgentConfig | null> {
  try {
    return await loadConfig(path, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    await printFaults(error);
    return null;
  }
}

/** What a member needs of the process around it. */
interface Around {
  readonly reread: () => Promise<AgentConfig>;
  /** Never fails: what goes wrong is logged. */
  readonly tell: (state: ServiceState) => Promise<void>;
  readonly reloads: ReloadSignal;
}

/** Certificates first: without them nobody can be asked. Tells what is to be said about the configuration. */
async function openAccess(config: AgentConfig, log: Log): Promise<Access> {
  const access = await Access.open(config, log);
  const remarks = await certificateRemarks(config);
  for (const warning of [...config.warnings, ...remarks]) log.warn(warning);
  return access;
}

/** Starts in the order that nobody is misled by: store, name, API, loop; ends in the reverse one. */
async function runMember(
  config: AgentConfig,
  agentLog: AgentLog,
  { reread, tell, reloads }: Around,
): Promise<number> {
  const { log } = agentLog;
  log.info(`agent ${AGENT_VERSION} (speaks Patroni ${COMPATIBLE_VERSION}) starts ${config.name}`);
  const access = await openAccess(config, log);
  let api: RunningApi | null = null;
  const relisten = async (): Promise<void> => await api?.reload(access.plan());
  const around = { reread, relisten, inherited: await storedLease(config) };
  const member = assembleMember(config, access, agentLog, around);
  const starting = new AbortController();
  using _signals = watchShutdown(() => {
    log.info("Asked to end");
    void tell({ stopping: true, status: "ending" });
    starting.abort();
    member.mailbox.post({ kind: "shutdown" });
  });
  reloads.heed(() => void member.reloader.reload());
  void tell({ ready: true, status: "waiting for the store" });
  const cluster = await waitForStore(member, log, starting.signal);
  if (cluster === null) return EXIT_DONE;
  member.agent.know(cluster);
  if (await isTaken(config.name, { member, cluster, log })) return EXIT_FAILED;
  const note = foundingNote(config, cluster);
  if (note !== null) log.info(note);
  api = await startApi({ ...access.plan(), context: member.apiContext });
  await tell({ status: `member ${config.name} of cluster ${config.scope}` });
  await runLoops(member, log);
  await endMember(member, api);
  await member.reloader.idle();
  await access.close();
  log.info("Ended");
  return EXIT_DONE;
}

/** What a disk cannot read now fails again where it is needed. */
async function storedLease(config: AgentConfig): Promise<StoredLease | null> {
  return await leaseFileOf(config).load().catch(() => null);
}

/** What is found at the start. */
interface Found {
  readonly member: Member;
  readonly cluster: ClusterView;
  readonly log: Log;
}

/** Another agent runs under this name; it is told. */
async function isTaken(name: string, { member, cluster, log }: Found): Promise<boolean> {
  const { access, keeper, timing } = member;
  const nowMs = systemClock.bootMs();
  const { renewalMs } = timing();
  const patienceMs = namePatienceMs({ stopAtMs: keeper.stopAtMs(), nowMs, renewalMs });
  const isInUse = await isNameInUse(cluster, name, access.members.unchecked, patienceMs);
  if (isInUse) log.critical(`Can't start; there is already a node named '${name}' running`);
  return isInUse;
}

/**
 * The first view of the store, asked for until it comes, under the guard over the server; null when the agent was told to
 * end before.
 */
async function waitForStore(
  member: Member,
  log: Log,
  signal: AbortSignal,
): Promise<ClusterView | null> {
  const { keeper, settings } = member;
  const guard = new FirstGuard(member, log);
  await guard.begin();
  while (!signal.aborted) {
    using deadline = within(settings().retryTimeoutS * 1000, signal);
    try {
      await keeper.attach(deadline.signal);
      return await keeper.view(deadline.signal);
    } catch (error) {
      if (!(error instanceof DcsUnreachable || error instanceof Refused)) throw error;
      log.warn(`Waiting for the store: ${error.message}`);
    }
    await guard.goOn();
    await systemClock.sleep(STORE_RETRY_MS, signal);
  }
  return null;
}

/** The loop and what runs beside it; all end when the loop does. */
async function runLoops(member: Member, log: Log): Promise<void> {
  const { agent, keeper, deadMan, dcs, postgres, mailbox, settings } = member;
  const onUnguarded = (why: string): void => keeper.unguarded(why);
  const ending = new AbortController();
  const { signal } = ending;
  // Each tick finds an endpoint that hangs; the silence of a stream is only the second guard.
  const silenceMs = (): number => settings().loopWaitS * 12_000;
  const beside = [
    forever("the lease keeper", log, signal, () => keeper.run(signal)),
    forever("the watch on the switch", log, signal, () => deadMan.watch(onUnguarded, signal)),
    forever("the watch on the store", log, signal, () => {
      return dcs.watch(() => mailbox.wake("the store has changed"), silenceMs, signal);
    }),
    forever("the watch on the server", log, signal, () => {
      return postgres.watchPostmaster(() => mailbox.wake("the server has died"), signal);
    }),
  ];
  try {
    await agent.run(signal);
  } finally {
    ending.abort();
    await Promise.all(beside);
  }
}

/** A helper of the loop that ends early is a fault of its own: it is told and begun again. */
async function forever(
  what: string,
  log: Log,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      log.error(`Cannot go on with ${what}: ${String(error)}`, traced(error));
    }
    if (!signal.aborted) await systemClock.sleep(1000, signal);
  }
}

async function endMember(member: Member, api: RunningApi): Promise<void> {
  await api.shutdown();
  await member.background.close();
  using deadline = within(DRAIN_MS);
  await member.tasks.drain(deadline.signal);
  await member.callbacks.drain(deadline.signal);
  await member.postgres.close();
  await member.deadMan.close();
  await member.recorder.flush();
}
