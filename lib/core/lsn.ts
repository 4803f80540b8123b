/** A WAL position in bytes. Branded, so that a timeline or a byte count cannot stand in for it. */
export type Lsn = bigint & { readonly brand: "lsn" };

/** Position zero: what a server reports that has received or replayed nothing. */
export const LSN_ZERO: Lsn = 0n as Lsn;

/** Reads `16/B374D848` (pg_lsn text form); anything else is null, because a replica may have replayed nothing yet. */
export function parseLsn(text: string): Lsn | null {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  if (high === undefined || low === undefined) return null;
  return ((BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)) as Lsn;
}

/** The position that a byte offset stands for, as Patroni's JSON carries it. */
export function lsnFromBytes(bytes: bigint | number): Lsn {
  return BigInt(bytes) as Lsn;
}

/** Prints `16/B374D848`: upper-case hexadecimal halves without padding, as PostgreSQL does. */
export function printLsn(lsn: Lsn): string {
  const high = (lsn >> 32n).toString(16);
  const low = (lsn & 0xffffffffn).toString(16);
  return `${high}/${low}`.toUpperCase();
}

/** Bytes from `behind` to `ahead`, never negative. */
export function lagBytes(ahead: Lsn, behind: Lsn): bigint {
  return ahead > behind ? ahead - behind : 0n;
}

/** The furthest of the known positions, or null when none is known. */
export function maxLsn(...positions: readonly (Lsn | null)[]): Lsn | null {
  let best: Lsn | null = null;
  for (const lsn of positions) if (lsn !== null && (best === null || lsn > best)) best = lsn;
  return best;
}
