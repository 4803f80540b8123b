import type { JsonObject } from "../base/json.ts";
import type { AgentConfig, Credentials, Hooks } from "./agent_config.ts";
import { byRoleOrNull } from "../core/role_content.ts";
import type { ContentByRole, RoleContent, ServerRole } from "../core/role_content.ts";
import { layoutOf, levelsOf } from "./log_options.ts";
import type { FileValues } from "./schema.ts";
import { pemFiles } from "./pem_files.ts";
import { LIBPQ_OPTIONS } from "./schema_roles.ts";

/** What the file does not say itself: where small files go, and the remarks. */
export interface Surroundings {
  readonly stateDir: string;
  readonly bootstrapDcs: JsonObject;
  readonly tags: JsonObject;
  readonly warnings: readonly string[];
}

/** The checked values in the form that the rest of the program uses. */
export function assemble(values: FileValues, around: Surroundings): AgentConfig {
  const { scope, name, log, restapi, etcd3, bootstrap, ctl, watchdog } = values;
  const api = restapi.authentication ?? null;
  return {
    scope,
    namespace: normalNamespace(values.namespace),
    name,
    log: assembleLog(log),
    restapi: assembleApi(restapi),
    etcd: etcd3,
    bootstrap: bootstrap === undefined ? null : {
      dcs: around.bootstrapDcs,
      initdb: bootstrap.initdb,
      pgHba: bootstrap.pg_hba,
      custom: bootstrap.custom,
      postBootstrap: bootstrap.post_bootstrap ?? bootstrap.post_init ?? null,
    },
    postgresql: assembleServer(values.postgresql, around.stateDir),
    watchdog: {
      mode: watchdog.mode,
      device: watchdog.device,
      safetyMarginS: watchdog.safety_margin,
      driver: watchdog.driver,
    },
    tags: around.tags,
    ctl: ctl.authentication === undefined ? api && login(api) : login(ctl.authentication),
    ctlTls: {
      ...pemFiles(ctl.cacert ?? restapi.cafile, ctl.certfile, ctl.keyfile, ctl.keyfile_password),
      insecure: ctl.insecure,
    },
    stateDir: around.stateDir,
    warnings: around.warnings,
  };
}

function assembleApi(api: FileValues["restapi"]): AgentConfig["restapi"] {
  const { certfile, authentication } = api;
  const files = pemFiles(api.cafile, certfile, api.keyfile, api.keyfile_password);
  return {
    listen: api.listen,
    connectAddress: api.connect_address,
    authentication: authentication === undefined ? null : login(authentication),
    tls: certfile === undefined ? null : { ...files, verifyClient: api.verify_client },
    allowlist: api.allowlist,
    allowlistIncludeMembers: api.allowlist_include_members,
    headers: api.http_extra_headers,
    httpsHeaders: api.https_extra_headers,
    requestQueueSize: api.request_queue_size ?? null,
    serverTokens: api.server_tokens,
  };
}

function assembleLog(log: FileValues["log"]): AgentConfig["log"] {
  const files = {
    count: log.file_num,
    sizeMax: log.file_size,
    mode: log.mode ?? null,
  };
  return {
    ...levelsOf(log),
    tracebackLevel: log.traceback_level,
    layout: layoutOf(log),
    queueMax: log.max_queue_size,
    files: log.dir === undefined ? null : { dir: log.dir, ...files },
    foldHeartbeats: log.deduplicate_heartbeat_logs ?? null,
  };
}

function assembleServer(
  server: FileValues["postgresql"],
  stateDir: string,
): AgentConfig["postgresql"] {
  const { superuser, replication, rewind } = server.authentication;
  return {
    listen: server.listen,
    connectAddress: server.connect_address,
    proxyAddress: server.proxy_address ?? null,
    dataDir: server.data_dir,
    binDir: server.bin_dir ?? "",
    binName: withoutMissing(server.bin_name),
    pgpass: server.pgpass ?? `${stateDir}/pgpass`,
    database: server.database,
    useUnixSocket: server.use_unix_socket,
    useUnixSocketRepl: server.use_unix_socket_repl,
    krbsrvname: server.krbsrvname ?? null,
    authentication: {
      superuser: credentials(superuser),
      replication: credentials(replication),
      rewind: rewind === undefined ? null : credentials(rewind),
    },
    parameters: server.parameters,
    pgHba: server.pg_hba ?? null,
    pgIdent: server.pg_ident ?? null,
    byRole: contentByRole(server),
    recoveryConf: server.recovery_conf,
    pgCtlTimeoutS: server.pg_ctl_timeout,
    ...rewindOf(server),
    configDir: server.config_dir ?? null,
    configBaseName: server.config_base_name,
    customConf: server.custom_conf ?? null,
    replicaMethods: server.methods,
    basebackup: server.basebackup,
    hooks: hooks(server),
  };
}

type RewindKeys =
  | "usePgRewind"
  | "rewind"
  | "keepsHalfRewound"
  | "removeDataDirectoryOnDivergedTimelines";

function rewindOf(
  server: FileValues["postgresql"],
): Pick<AgentConfig["postgresql"], RewindKeys> {
  const ofDiverged = server.remove_data_directory_on_diverged_timelines;
  return {
    usePgRewind: server.use_pg_rewind ?? null,
    rewind: server.rewind,
    removeDataDirectoryOnDivergedTimelines: ofDiverged,
    keepsHalfRewound: !ofDiverged && !server.remove_data_directory_on_rewind_failure,
  };
}

function contentByRole(server: FileValues["postgresql"]): ContentByRole | null {
  const of = (role: ServerRole): RoleContent => ({
    parameters: server[`parameters_${role}`],
    pgHba: server[`pg_hba_${role}`] ?? null,
    pgIdent: server[`pg_ident_${role}`] ?? null,
  });
  return byRoleOrNull({ primary: of("primary"), replica: of("replica") });
}

function hooks(server: FileValues["postgresql"]): Hooks {
  const { callbacks, pre_promote, before_stop } = server;
  const given = Object.entries(callbacks).filter(([, words]) => words !== undefined);
  return {
    callbacks: Object.fromEntries(given),
    prePromote: pre_promote ?? null,
    beforeStop: before_stop ?? null,
  };
}

/** One leading and one trailing slash, single ones between. */
function normalNamespace(namespace: string): string {
  return `/${namespace}/`.replace(/\/+/g, "/");
}

function login(
  { username, password }: { readonly username: string; readonly password: string },
): { readonly username: string; readonly password: string } {
  return { username, password };
}

type RoleValues = FileValues["postgresql"]["authentication"]["superuser"];

function credentials(role: RoleValues): Credentials {
  const options = LIBPQ_OPTIONS.map((name) => [name, role[name]] as const);
  return {
    username: role.username,
    password: role.password ?? null,
    options: withoutMissing(Object.fromEntries(options)),
  };
}

function withoutMissing(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") kept[name] = value;
  }
  return kept;
}
