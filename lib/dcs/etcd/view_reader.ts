import type { JsonObject } from "../../base/json.ts";
import type { ClusterView } from "../../core/cluster_view.ts";
import { defaultSettings } from "../../core/settings.ts";
import type { Settings } from "../../core/settings.ts";
import { decodeCluster } from "../cluster_codec.ts";
import type { Entry } from "../codec.ts";
import type { Keys } from "../keys.ts";
import { snapshotOf } from "./txn.ts";

/** Revisions of keys that exist and yet count as absent; 0n for the others. */
export type BlankKeys = Readonly<Record<"failover" | "config" | "failsafe", bigint>>;

/** Makes views out of answers, and keeps what later views and writes need of an earlier one. */
export class ViewReader {
  readonly #keys: Keys;
  /** The last valid settings, in force while `config` is missing or cannot be used. */
  #settings: Settings = defaultSettings;
  #blank: BlankKeys = { failover: 0n, config: 0n, failsafe: 0n };

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** Revisions of keys that exist and yet count as absent (`{}`, garbage), as last read: 0n in a write means these. */
  blank(): BlankKeys {
    return this.#blank;
  }

  /** The cluster behind the entries of one answer. */
  view(answer: JsonObject, entries: readonly Entry[]): ClusterView {
    const view = decodeCluster(this.#keys, snapshotOf(answer, entries), this.#settings);
    const revisionAt = (key: string): bigint =>
      entries.find((entry) => entry.key === key)?.revision ?? 0n;
    this.#settings = view.settings;
    this.#blank = {
      failover: view.handover === null ? revisionAt(this.#keys.failover) : 0n,
      config: view.config === null ? revisionAt(this.#keys.config) : 0n,
      failsafe: view.failsafe === null ? revisionAt(this.#keys.failsafe) : 0n,
    };
    return view;
  }
}
