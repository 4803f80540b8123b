import type { Entry } from "../codec.ts";
import type { WriteResult } from "../port.ts";
import type { Gateway } from "./gateway.ts";
import { unlessRefused } from "./lease.ts";
import {
  entriesOf,
  exists,
  isAbsent,
  keyRange,
  leaseIs,
  nested,
  put,
  putBody,
  revisionIs,
  touch,
} from "./txn.ts";
import type { Compare, Step } from "./txn.ts";
import { refusedIfFailed, writeGuarded, writePlain } from "./writer.ts";
import type { GuardedResult } from "./writer.ts";

/** The content that the member key is to have, and the lease that is to carry it. */
export interface MemberWrite {
  readonly key: string;
  readonly text: string;
  readonly lease: string;
}

/**
 * This process's own member key as a fence against its own late requests. A request that hung in a stopped etcd member
 * is carried out when that member goes on (etcd 3.4: one in six tries), although it was given up and repeated
 * elsewhere. What creates a key therefore also demands that the member key is the one last written, and what takes such
 * a key away touches the member key, so that an older request finds its condition broken.
 */
export class OwnRecord {
  #last: { readonly key: string; readonly revision: bigint } | null = null;
  /** Every lease that this process has written under; a lost one is replaced, so there are few. */
  readonly #leases = new Set<string>();

  /**
   * Writes the member key. The first write of a process takes the key over from the process before it; later ones are
   * refused once another process of the same name has written it (pitfall P12), or the two would overwrite each other
   * for ever.
   */
  async write(gateway: Gateway, write: MemberWrite, signal: AbortSignal): Promise<WriteResult> {
    const { key, text, lease } = write;
    this.#leases.add(lease);
    const result = this.#last === null
      ? await writePlain(gateway, putBody(key, text, lease), signal)
      : await this.#rewrite(gateway, write, signal);
    if (result.kind === "done") this.#last = { key, revision: result.revision };
    return result;
  }

  async #rewrite(gateway: Gateway, write: MemberWrite, signal: AbortSignal): Promise<WriteResult> {
    const first = await putWhile(gateway, write, leaseIs(write.key, write.lease), signal);
    if (first.kind !== "condition-failed") return first;
    const { found } = first;
    const why = this.#whyForeign(found);
    if (why !== null) return { kind: "refused", why };
    const asFound = found === null ? isAbsent(write.key) : revisionIs(write.key, found.revision);
    return refusedIfFailed(await putWhile(gateway, write, asFound, signal));
  }

  /** The condition that no member record was written since; none before the first one. */
  unchanged(): readonly Compare[] {
    return this.#last === null ? [] : [revisionIs(this.#last.key, this.#last.revision)];
  }

  /** Writes the member key's content over itself, so that requests under the old condition fail. */
  touched(): readonly Step[] {
    if (this.#last === null) return [];
    const { key } = this.#last;
    return [nested({ compare: [exists(key)], success: [touch(key)], failure: [] })];
  }

  /**
   * Looks up the revision: it changed by a write whose answer was lost, or by a touch. When the record is another
   * process's by now, the revision stays as it is, and the answer says so; null: the record is ours. Throws
   * `DcsUnreachable`.
   */
  async refresh(gateway: Gateway, signal: AbortSignal): Promise<string | null> {
    if (this.#last === null) return null;
    const { key } = this.#last;
    const call = { path: "/v3/kv/range", body: keyRange(key) };
    const [found] = entriesOf(await unlessRefused(gateway.call(call, signal)));
    const why = this.#whyForeign(found ?? null);
    if (why === null) this.#last = { key, revision: found?.revision ?? 0n };
    return why;
  }

  /** Every lease of this process was noted before anything was written under it. */
  #whyForeign(found: Entry | null): string | null {
    if (found === null || this.#leases.has(found.lease)) return null;
    return `another agent of this name writes it (lease ${found.lease}); ` +
      "give each member a name of its own";
  }
}

function putWhile(
  gateway: Gateway,
  { key, text, lease }: MemberWrite,
  condition: Compare,
  signal: AbortSignal,
): Promise<GuardedResult> {
  const isDone = (found: Entry | null): boolean => found?.value === text && found.lease === lease;
  const write = { compare: [condition], steps: [put(key, text, lease)], witness: key, isDone };
  return writeGuarded(gateway, write, signal);
}
