import type { CommandResult } from "../host/port.ts";
import { run } from "../host/spawn.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import { NO_SYNC } from "./sync_data.ts";

const INITDB_MS = 600_000;

/**
 * Runs initdb with the superuser's name and password (by a private file beside the data directory) and the user's
 * options. The locale is the agent's own, since it becomes the cluster's. Nothing is forced to disk.
 */
export async function runInitdb(
  options: PostgresOptions,
  words: readonly string[],
  signal: AbortSignal,
): Promise<CommandResult> {
  const { superuser } = options.authentication;
  const pwfile = await writePwfile(options.dataDir, superuser.password ?? "");
  const args = [`--pgdata=${options.dataDir}`, `--username=${superuser.username}`];
  if (pwfile !== null) args.push(`--pwfile=${pwfile}`);
  try {
    return await run({
      program: programPath(options, "initdb"),
      args: [...args, ...words, NO_SYNC],
      env: { LC_ALL: Deno.env.get("LC_ALL") ?? "" },
      timeoutMs: INITDB_MS,
    }, signal);
  } finally {
    if (pwfile !== null) await Deno.remove(pwfile);
  }
}

/** initdb refuses an empty password file, so an empty password has none. */
async function writePwfile(dataDir: string, password: string): Promise<string | null> {
  if (password === "") return null;
  const dir = dataDir.slice(0, dataDir.lastIndexOf("/"));
  const path = await Deno.makeTempFile({ dir, prefix: ".agent-pw-" });
  await Deno.chmod(path, 0o600);
  await Deno.writeTextFile(path, `${password}\n`);
  return path;
}
