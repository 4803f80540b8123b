import { run } from "../host/spawn.ts";
import { saidOrCode } from "./filling.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";

/** As long as it takes: a copy of terabytes may be in the page cache still. */
const SYNC_MS = 24 * 3600 * 1000;

/** Keeps initdb and pg_basebackup from forcing each file to disk before they end. */
export const NO_SYNC = "--no-sync";

/** True where the operator's own words say that nothing needs to be on disk. */
export function renouncesSync(words: readonly string[]): boolean {
  return words.includes(NO_SYNC) || words.includes("-N");
}

/**
 * Forces every file of the data directory to disk, and those behind its links (`initdb --sync-only`); the server may run
 * meanwhile, which sees to what it writes itself. Why that failed, or null.
 */
export async function syncDataDir(
  options: Pick<PostgresOptions, "dataDir" | "binDir" | "binName">,
  signal: AbortSignal,
): Promise<string | null> {
  const program = programPath(options, "initdb");
  const args = ["--sync-only", "-D", options.dataDir]; // not as one word: it fills nothing, and a start lets it be
  const end = await run({ program, args, timeoutMs: SYNC_MS }, signal);
  if (end.exitCode === 0) return null;
  return `Cannot force the data directory to disk: ${saidOrCode(end)}`;
}

/** Does `work` while `sync` runs, and waits for both, also when the work throws. */
export async function meanwhile<T>(
  sync: Promise<string | null>,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly fault: string | null }> {
  sync.catch(() => {}); // its fault is told when it is awaited
  try {
    const result = await work();
    return { result, fault: await sync };
  } finally {
    await sync;
  }
}
