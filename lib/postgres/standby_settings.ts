import type { Source } from "../core/action.ts";
import type { Settings } from "../core/settings.ts";
import { parseConnUrl, primaryConninfo } from "./conninfo.ts";
import type { PostgresOptions } from "./options.ts";
import { renderPassfile, writePrivateFile } from "./pgpass.ts";

const NOT_BY_USER = /^(recovery_target.*|primary_conninfo|primary_slot_name|standby_mode)$/i;

/** The recovery settings of a standby of `upstream` (null: of nobody), from the wanted source and user's settings. */
export function standbySettings(
  options: PostgresOptions,
  upstream: Source | null,
  settings: Settings,
  majorVersion: number,
): Readonly<Record<string, string>> {
  const users = Object.entries({ ...settings.recoveryConf, ...options.recoveryConf })
    .filter(([name]) => !NOT_BY_USER.test(name));
  const link = upstream === null ? null : linkTo(options, upstream, majorVersion);
  return {
    ...Object.fromEntries(users),
    recovery_target_timeline: "latest",
    recovery_target: "",
    recovery_target_name: "",
    recovery_target_time: "",
    recovery_target_xid: "",
    recovery_target_lsn: "",
    ...(link === null ? {} : { primary_conninfo: link }),
    ...(link !== null && settings.useSlots ? { primary_slot_name: options.slotName } : {}),
  };
}

/** Writes the passfile that primary_conninfo and pg_basebackup name. Throws the file system's error. */
export async function writeUpstreamPassfile(
  options: PostgresOptions,
  upstream: Source,
): Promise<void> {
  const address = parseConnUrl(upstream.connUrl);
  const login = options.authentication.replication;
  if (address === null || login.password === null) return;
  const { host, port } = address;
  await writePrivateFile(options.pgpass, renderPassfile([{ host, port, login }]));
}

function linkTo(options: PostgresOptions, upstream: Source, majorVersion: number): string | null {
  const address = parseConnUrl(upstream.connUrl);
  if (address === null) return null;
  return primaryConninfo({
    address,
    majorVersion,
    login: options.authentication.replication,
    krbsrvname: options.krbsrvname ?? null,
    defaultDatabase: options.database,
    passfile: options.pgpass,
    applicationName: options.name,
  });
}
