import type { Write } from "../../scripts/playground/history.ts";

/** The time in which one member confirmed writes on one timeline, by the boot clock of its clients. */
export interface Reign {
  readonly member: string;
  readonly timeline: number;
  /** The first and the last confirmation. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly writes: readonly Write[];
}

/** All reigns, in the order of their first confirmations. */
export function reignsOf(writes: readonly Write[]): readonly Reign[] {
  const confirmed = writes.filter(({ outcome }) => outcome === "confirmed");
  const groups = Map.groupBy(confirmed, ({ member, timeline }) => `${member} ${timeline}`);
  return Array.from(groups.values(), reignOf).sort((one, other) => one.firstMs - other.firstMs);
}

function reignOf(writes: readonly Write[]): Reign {
  const ends = writes.map(({ endedMs }) => endedMs);
  return {
    member: writes[0]?.member ?? "",
    timeline: writes[0]?.timeline ?? 0,
    firstMs: ends.reduce((least, end) => Math.min(least, end), Infinity),
    lastMs: ends.reduce((most, end) => Math.max(most, end), 0),
    writes,
  };
}
