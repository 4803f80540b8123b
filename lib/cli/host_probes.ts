import { lookup } from "node:dns/promises";
import { delimiter } from "node:path";
import { Allowlist } from "../api/allowlist.ts";
import { systemClock } from "../base/clock.ts";
import type { ConfigFault } from "../base/errors.ts";
import type { AgentConfig, ListenAddress } from "../config/agent_config.ts";
import { splitHostPort } from "../config/values.ts";
import { debianServiceWarnings } from "../host/debian_service.ts";
import { run } from "../host/spawn.ts";
import type { ProgramName } from "../postgres/options.ts";
import { programPath } from "../postgres/options.ts";
import type { HostProbes, HostReport } from "./validate.ts";

const VERSION_MS = 10_000;
const NAME_MS = 5_000;
/** A dead network mount must not hold the others up. */
const TEST_MS = 5_000;
/** As the unit has it. No program starts in a folder of somebody else, such as /root after `runuser -u postgres`. */
const HERE = "/";
/** The agent runs these, never pg_isready. */
const PROGRAMS: readonly ProgramName[] = [
  "postgres",
  "initdb",
  "pg_ctl",
  "pg_basebackup",
  "pg_controldata",
];

/** And these where the file asks for pg_rewind. */
const OF_REWIND: readonly ProgramName[] = ["pg_rewind", "pg_waldump"];

type Finding = { readonly key: string; readonly message: string };

/** Looks at ports, names, programs and directories of this host; changes nothing. Faults of one do not hide the others. */
export async function probeHost(
  config: AgentConfig,
  { ignoreListenPort }: Parameters<HostProbes>[1],
): Promise<HostReport> {
  const { postgresql, restapi } = config;
  const [names, programs, directories, hooks] = await Promise.all([
    probeNames(config),
    probePrograms(config),
    probeDirectories(config),
    probeHooks(config),
  ]);
  const ports = ignoreListenPort ? [] : [
    ...probePort("restapi.listen", restapi.listen),
    ...probePort("postgresql.listen", postgresql.listen),
  ];
  const services = await debianServiceWarnings(postgresql.dataDir);
  const doubts = [...hooks, ...loopbackAddresses(config), ...await probeWatchdog(config)];
  const { faults, warnings } = reported([...ports, ...names, ...programs, ...directories], doubts);
  return { faults, warnings: [...warnings, ...services, ...await allowlistWarnings(config)] };
}

/** In failsafe mode members ask each other, and a list without this host is as a rule the same on all of them. */
async function allowlistWarnings({ restapi }: AgentConfig): Promise<readonly string[]> {
  const { allowlist, connectAddress } = restapi;
  const host = splitHostPort(connectAddress)?.host ?? connectAddress;
  if (allowlist.length === 0 || await new Allowlist(systemClock).hasHost(host, allowlist)) {
    return [];
  }
  return [
    `restapi.allowlist: ${host} is not in it: members with this list refuse this one's ` +
    "POST /failsafe (allowlist_include_members does not count for it), so that failsafe mode " +
    "does not help it",
  ];
}

function reported(faults: readonly Finding[], warnings: readonly Finding[]): HostReport {
  const asFault = ({ key, message }: Finding): ConfigFault => {
    return { file: "this host", line: null, path: key, message };
  };
  return {
    faults: faults.map(asFault),
    warnings: warnings.map(({ key, message }) => `${key}: ${message}`),
  };
}

function probePort(key: string, { hosts, port }: ListenAddress): readonly Finding[] {
  return hosts.flatMap((host) => {
    const hostname = host === "*" ? "0.0.0.0" : host;
    try {
      Deno.listen({ hostname, port }).close();
      return [];
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return [{ key, message: `expected a free port ${port} on ${host}, found ${error.message}` }];
    }
  });
}

async function probeNames(config: AgentConfig): Promise<readonly Finding[]> {
  const { restapi, postgresql, etcd } = config;
  const addresses = [
    ["restapi.connect_address", restapi.connectAddress],
    ["postgresql.connect_address", postgresql.connectAddress],
    ...(postgresql.proxyAddress === null
      ? []
      : [["postgresql.proxy_address", postgresql.proxyAddress] as const]),
    ...etcd.endpoints.map((url) => ["etcd3.hosts", new URL(url).host] as const),
  ] as const;
  const findings = await Promise.all(addresses.map(async ([key, address]) => {
    const host = splitHostPort(address)?.host ?? address;
    const fault = await resolveFault(host);
    return fault === null ? [] : [{ key, message: `expected a known host, found ${fault}` }];
  }));
  return findings.flat();
}

/** A store elsewhere means members elsewhere; each of them would find itself under such an address. */
function loopbackAddresses({ restapi, postgresql, etcd }: AgentConfig): readonly Finding[] {
  if (etcd.endpoints.every((url) => isLoopback(new URL(url).host))) return [];
  const addresses = [
    ["restapi.connect_address", restapi.connectAddress],
    ["postgresql.connect_address", postgresql.connectAddress],
  ] as const;
  return addresses.filter(([, address]) => isLoopback(address)).map(([key, address]) => ({
    key,
    message: `${address} is reached from this host alone: no other member finds this one there`,
  }));
}

function isLoopback(address: string): boolean {
  const host = splitHostPort(address)?.host ?? address;
  return /^(localhost|127\..*|\[?::1\]?)$/.test(host);
}

/** Its module may be loaded later, so its absence is a warning. */
async function probeWatchdog({ watchdog }: AgentConfig): Promise<readonly Finding[]> {
  const { mode, device } = watchdog;
  if (mode !== "required" || await mayWrite(device)) return [];
  const message = `this user can write to none at ${device}, so that this member never leads`;
  return [{ key: "watchdog.device", message }];
}

async function resolveFault(host: string): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(`no answer for ${host}`), NAME_MS);
  const found = lookup(host).then(() => null, (error: Error) => error.message);
  const fault = await Promise.race([found, late.promise]);
  clearTimeout(timer);
  return fault;
}

async function probePrograms({ postgresql }: AgentConfig): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const name of [...PROGRAMS, ...(postgresql.usePgRewind === true ? OF_REWIND : [])]) {
    const path = programPath(postgresql, name);
    if (await isRunnable(path)) continue;
    const at = postgresql.binDir === "" ? `of the name ${path} in PATH` : `at ${path}`;
    const key = "postgresql.bin_dir";
    found.push({ key, message: `expected the program ${name}, found none ${at}` });
  }
  return found.length > 0 ? found : await probeVersion(postgresql);
}

async function probeVersion(server: AgentConfig["postgresql"]): Promise<readonly Finding[]> {
  const { dataDir } = server;
  const written = await Deno.readTextFile(`${dataDir}/PG_VERSION`).catch(() => null);
  const command = { program: programPath(server, "postgres"), args: ["--version"], cwd: HERE };
  const said = await run({ ...command, timeoutMs: VERSION_MS }, new AbortController().signal);
  const [, major] = /\(PostgreSQL\) (\d+)/.exec(said.stdout) ?? [];
  const key = "postgresql.bin_dir";
  if (major === undefined) {
    return [{
      key,
      message: `expected a version from ${command.program}, found ${said.stderrTail}`,
    }];
  }
  if (written === null || written.trim() === major) return [];
  const message =
    `expected programs of PostgreSQL ${written.trim()} as in ${dataDir}, found ${major}`;
  return [{ key, message }];
}

async function probeDirectories(config: AgentConfig): Promise<readonly Finding[]> {
  const { postgresql, stateDir } = config;
  const { dataDir, pgpass, configDir, customConf } = postgresql;
  const wanted = [
    ["postgresql.data_dir", dataDir, await mayMake(dataDir)],
    ["AGENT_STATE_DIR", stateDir, await mayMake(stateDir)],
    ["postgresql.pgpass", pgpass, pgpass.startsWith(`${stateDir}/`) || await mayMake(pgpass)],
    ["postgresql.config_dir", configDir, configDir === null || await mayWrite(configDir)],
    ["postgresql.custom_conf", customConf, customConf === null || await mayRead(customConf)],
  ] as const;
  return wanted.filter(([, , isFine]) => !isFine).map(([key, path]) => {
    const what = key.endsWith("custom_conf") ? "a file that can be read" : "a place to write";
    return { key, message: `expected ${what} at ${path}, found none for this user` };
  });
}

/** A hook may be installed later, so its absence is a warning. */
async function probeHooks({ postgresql, bootstrap }: AgentConfig): Promise<readonly Finding[]> {
  const { hooks, replicaMethods } = postgresql;
  const methods = replicaMethods.flatMap((one) => one.kind === "custom" ? [one] : []);
  const programs: readonly (readonly [string, readonly string[] | null | undefined])[] = [
    ...Object.entries(hooks.callbacks).map(([name, words]) =>
      [`postgresql.callbacks.${name}`, words] as const
    ),
    ["postgresql.pre_promote", hooks.prePromote],
    ["postgresql.before_stop", hooks.beforeStop],
    ["bootstrap.post_bootstrap", bootstrap?.postBootstrap],
    [`bootstrap.${bootstrap?.custom?.name}.command`, bootstrap?.custom?.words],
    ...methods.map(({ name, words }) => [`postgresql.${name}.command`, words] as const),
  ];
  const found: Finding[] = [];
  for (const [key, words] of programs) {
    const [program] = words ?? [];
    if (program === undefined || await isRunnable(program)) continue;
    found.push({ key, message: `there is no program ${program} that this user may run` });
  }
  return found;
}

async function isRunnable(program: string): Promise<boolean> {
  if (program.includes("/")) return await allows(program, "-x");
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  const found = await Promise.all(folders.map((at) => allows(`${at}/${program}`, "-x")));
  return found.includes(true);
}

/** What is there can be written, or the nearest thing above it is a folder that can. */
async function mayMake(path: string): Promise<boolean> {
  if (await allows(path, "-e")) return await mayWrite(path);
  const above = await nearestAbove(path);
  return await allows(above, "-d") && await mayWrite(above);
}

async function nearestAbove(path: string): Promise<string> {
  const parent = path.slice(0, path.lastIndexOf("/")) || "/";
  return parent === "/" || await allows(parent, "-e") ? parent : await nearestAbove(parent);
}

function mayWrite(path: string): Promise<boolean> {
  return allows(path, "-w");
}

function mayRead(path: string): Promise<boolean> {
  return allows(path, "-r");
}

/** The kernel's own answer, groups and access lists included; the runtime's `access` only compares mode bits. */
async function allows(path: string, right: "-d" | "-e" | "-x" | "-w" | "-r"): Promise<boolean> {
  const command = { program: "test", args: [right, path], cwd: HERE, timeoutMs: TEST_MS };
  return (await run(command, new AbortController().signal)).exitCode === 0;
}
