import { realPathOf } from "../base/real_path.ts";
import { parseLsn, printLsn } from "../core/lsn.ts";
import type { Lsn } from "../core/lsn.ts";
import { run } from "../host/spawn.ts";
import type { FullControlData } from "./controldata.ts";
import { freeBytes } from "./clone_checks.ts";
import { exists } from "./data_dir.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";

const DUMP_MS = 60_000;
/** The rewind itself needs room as well, and must not fail for what is kept. */
const ROOM = 4n;

/** Where local WAL left that of the leader, as pg_rewind says it. */
interface Fork {
  readonly lsn: string;
  readonly timeline: number;
}

/**
 * What was written here and never reached the leader: counts its transactions and keeps its WAL in
 * `<data_dir>.rewound`, in place of that of an earlier rewind. Returns a sentence for the log; a fault of the file
 * system is a part of it, since it must not keep the member away.
 */
export async function keepWhatIsLost(
  options: PostgresOptions,
  fork: Fork,
  control: FullControlData,
  signal: AbortSignal,
): Promise<string> {
  const end = control.minRecovery?.lsn ?? control.checkpointLsn;
  const count = await countCommits(options, fork, end, signal);
  const kept = await keepSegments(options.dataDir, fork, control.segmentBytes, signal)
    .catch((error: unknown) => `its WAL could not be kept: ${String(error)}`);
  return `given up what only this member had, from ${fork.lsn} on of timeline ${fork.timeline}: ` +
    `${count} committed there; ${kept}`;
}

async function countCommits(
  options: PostgresOptions,
  { lsn, timeline }: Fork,
  end: Lsn,
  signal: AbortSignal,
): Promise<string> {
  const from = parseLsn(lsn);
  if (from === null || end <= from) return "no transaction";
  const args = [
    ...["--path", `${options.dataDir}/pg_wal`, "--timeline", String(timeline)],
    ...["--start", lsn, "--end", printLsn(end), "--rmgr", "Transaction"],
    "--stats=record", // a line for each kind, where a line for each record has no bound
  ];
  const program = programPath(options, "pg_waldump");
  const { exitCode, stdout } = await run({ program, args, timeoutMs: DUMP_MS }, signal);
  if (exitCode !== 0) return "an unknown number of transactions";
  const commits = Number(/^Transaction\/COMMIT\s+(\d+)/m.exec(stdout)?.[1] ?? 0);
  return commits === 1 ? "1 transaction" : `${commits} transactions`;
}

async function keepSegments(
  dataDir: string,
  { lsn, timeline }: Fork,
  segmentBytes: bigint,
  signal: AbortSignal,
): Promise<string> {
  const folder = `${await realPathOf(dataDir)}.rewound`; // of a link: on the disk of the data
  if (await exists(folder)) await Deno.remove(folder, { recursive: true });
  await Deno.mkdir(folder, { mode: 0o700 });
  const first = segmentName(timeline, parseLsn(lsn) ?? 0n, segmentBytes);
  const lost: string[] = [];
  for await (const { name } of Deno.readDir(`${dataDir}/pg_wal`)) {
    const isSegment = /^[0-9A-F]{24}$/.test(name);
    if (isSegment && name >= first && name.startsWith(first.slice(0, 8))) lost.push(name);
  }
  const size = BigInt(lost.length) * segmentBytes;
  const free = await freeBytes(folder, signal);
  if (free !== null && free < size * ROOM) return "there is no room to keep its WAL";
  for (const name of lost) {
    await Deno.copyFile(`${dataDir}/pg_wal/${name}`, `${folder}/${name}`);
  }
  return `its WAL is kept in ${folder}`;
}

/** The file that holds this position (PostgreSQL source, XLogFileName). */
export function segmentName(timeline: number, lsn: bigint, segmentBytes: bigint): string {
  const perId = 0x100000000n / segmentBytes;
  const number = lsn / segmentBytes;
  const parts = [BigInt(timeline), number / perId, number % perId];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");
}
