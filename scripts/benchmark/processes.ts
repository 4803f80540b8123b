import type { Member } from "../playground/member.ts";
import { readOrNull } from "../playground/processes.ts";
import { switchOf } from "../playground/switch.ts";

/** Ticks of /proc/<pid>/stat in a second: USER_HZ is 100 on every Linux that Deno runs on. */
const HZ = 100;

/** What the processes of one member's agent take; the dead-man's switch is one of them, PostgreSQL is not. */
export interface Usage {
  readonly rssMb: number;
  /** What would be free if they ended. */
  readonly privateMb: number;
  /** Processor time since their start, that of ended children included. */
  readonly cpuS: number;
}

/** The usage of one member's agent now. */
export async function usageOf(member: Member): Promise<Usage> {
  const pids = await pidsOf(member);
  const all = await Promise.all(pids.map(usageOfPid));
  const sum = (of: (usage: Usage) => number): number => all.reduce((by, one) => by + of(one), 0);
  return {
    rssMb: sum(({ rssMb }) => rssMb),
    privateMb: sum(({ privateMb }) => privateMb),
    cpuS: sum(({ cpuS }) => cpuS),
  };
}

async function pidsOf(member: Member): Promise<readonly number[]> {
  const guard = await switchOf(member.dataDir);
  return [member.agentPid, guard?.pid ?? null].filter((pid) => pid !== null);
}

async function usageOfPid(pid: number): Promise<Usage> {
  const rollup = await readOrNull(`/proc/${pid}/smaps_rollup`) ?? "";
  const stat = await readOrNull(`/proc/${pid}/stat`) ?? "";
  const kb = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
  // After the name in parentheses: state is field 3, so utime, stime, cutime, cstime are 11 to 14 behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const ticks = [11, 12, 13, 14].reduce((sum, place) => sum + (fields[place] ?? 0), 0);
  return {
    rssMb: kb("Rss") / 1024,
    privateMb: (kb("Private_Clean") + kb("Private_Dirty")) / 1024,
    cpuS: ticks / HZ,
  };
}
