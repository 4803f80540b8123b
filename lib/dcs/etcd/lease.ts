import { DcsUnreachable, Refused } from "../../base/errors.ts";
import { int64In, LEASE_NOT_FOUND } from "./answer.ts";
import type { Gateway } from "./gateway.ts";

/**
 * A new lease; its id in decimal, as text because it needs 64 bits. A repeated grant leaves an orphan lease behind,
 * which expires by itself. Throws `DcsUnreachable`.
 */
export async function grantLease(
  gateway: Gateway,
  ttlS: number,
  signal: AbortSignal,
): Promise<string> {
  const body = { TTL: String(ttlS), ID: "0" };
  const answer = await unlessRefused(gateway.call({ path: "/v3/lease/grant", body }, signal));
  const id = int64In(answer, "ID");
  if (id === "0") throw new DcsUnreachable("Cannot grant a lease: the answer has no id");
  return id;
}

/** Extends a lease. A lease that etcd does not know is answered with HTTP 200 and no TTL: false. */
export async function keepLeaseAlive(
  gateway: Gateway,
  lease: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const answer = await gateway.call({ path: "/v3/lease/keepalive", body: { ID: lease } }, signal);
    return BigInt(int64In(answer, "TTL")) > 0n;
  } catch (error) {
    if (isLeaseGone(error)) return false;
    throw asUnreachable(error);
  }
}

/** Ends a lease and deletes its keys; one that is gone already is fine. Throws `DcsUnreachable`. */
export async function revokeLease(
  gateway: Gateway,
  lease: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await gateway.call({ path: "/v3/lease/revoke", body: { ID: lease } }, signal);
  } catch (error) {
    if (!isLeaseGone(error)) throw asUnreachable(error);
  }
}

/** A refusal (say, of a permission) is no answer to a question about the cluster, so it becomes `DcsUnreachable`. */
export async function unlessRefused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asUnreachable(error);
  }
}

function asUnreachable(error: unknown): unknown {
  if (!(error instanceof Refused)) return error;
  return new DcsUnreachable(error.message, { cause: error });
}

function isLeaseGone(error: unknown): boolean {
  return error instanceof Refused && error.code === LEASE_NOT_FOUND;
}
