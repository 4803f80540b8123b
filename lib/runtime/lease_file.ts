import { isJsonObject } from "../base/json.ts";
import { leadsTo, realPathOf } from "../base/real_path.ts";
import { readFileIfAny, replaceFile } from "./state_file.ts";

/** A lease of this member as remembered across restarts of the agent. */
export interface StoredLease {
  /** Lease id in decimal. */
  readonly id: string;
  readonly ttlS: number;
}

/** Where the lease id survives: a restarted agent re-attaches exactly its own keys, and nobody else's. */
export interface LeaseFile {
  /** The stored lease of this member, null when there is none that can be used. */
  load(): Promise<StoredLease | null>;
  save(lease: StoredLease): Promise<void>;
}

/**
 * Whose lease it is; one stored for another member, cluster or data directory does not count: the server of another
 * directory may still write under that lease, and its lock must not be used or released from here.
 */
export interface LeaseOwner {
  readonly name: string;
  readonly scope: string;
  readonly dataDir: string;
}

/**
 * `lease.json` in the state directory: `{lease, name, scope, dataDir, ttlS}`, the directory by its real path; without
 * `dataDir` any directory is meant.
 */
export class DiskLeaseFile implements LeaseFile {
  readonly #path: string;
  readonly #owner: LeaseOwner;

  constructor(stateDir: string, owner: LeaseOwner) {
    this.#path = `${stateDir}/lease.json`;
    this.#owner = owner;
  }

  async load(): Promise<StoredLease | null> {
    const text = await readFileIfAny(this.#path);
    return text === null ? null : await decodeLease(text, this.#owner);
  }

  async save(lease: StoredLease): Promise<void> {
    const dataDir = await realPathOf(this.#owner.dataDir);
    await replaceFile(
      this.#path,
      JSON.stringify({ ...this.#owner, dataDir, lease: lease.id, ttlS: lease.ttlS }),
    );
  }
}

async function decodeLease(text: string, owner: LeaseOwner): Promise<StoredLease | null> {
  const raw = parseOrNull(text);
  if (!isJsonObject(raw) || raw["name"] !== owner.name || raw["scope"] !== owner.scope) return null;
  if (!await leadsTo(owner.dataDir, String(raw["dataDir"] ?? owner.dataDir))) return null;
  const { lease, ttlS } = raw;
  if (typeof lease !== "string" || !/^\d+$/.test(lease) || typeof ttlS !== "number") return null;
  return { id: lease, ttlS };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // written by a full disk: the key expires by itself
    throw error;
  }
}
