import { entriesOf, exists, keyRange, nested, revisionIs, touch } from "./txn.ts";
import type { Compare, Step } from "./txn.ts";
import type { Gateway } from "./gateway.ts";
import { unlessRefused } from "./lease.ts";

/**
 * This process's own member key as a fence against its own late requests. A request that hung in a stopped etcd member
 * is carried out when that member goes on (etcd 3.4: one in six tries), although it was given up and repeated
 * elsewhere. What creates a key therefore also demands that the member key is the one last written, and what takes such
 * a key away touches the member key, so that an older request finds its condition broken.
 */
export class OwnRecord {
  #last: { readonly key: string; readonly revision: bigint } | null = null;

  /** The member key was written at this revision. */
  note(key: string, revision: bigint): void {
    this.#last = { key, revision };
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

  /** Looks up the revision: it changed by a write whose answer was lost, or by a touch. Throws `DcsUnreachable`. */
  async refresh(gateway: Gateway, signal: AbortSignal): Promise<void> {
    if (this.#last === null) return;
    const { key } = this.#last;
    const call = { path: "/v3/kv/range", body: keyRange(key) };
    const [found] = entriesOf(await unlessRefused(gateway.call(call, signal)));
    this.#last = { key, revision: found?.revision ?? 0n };
  }
}
