import type { JsonObject } from "../../base/json.ts";
import type { Entry } from "../codec.ts";
import type { Snapshot } from "../cluster_codec.ts";
import { int64In, objectIn, objectsIn } from "./answer.ts";

/** A condition of a transaction, in the gateway's JSON. */
export type Compare = JsonObject;

/** A step of a transaction, in the gateway's JSON. */
export type Step = JsonObject;

/** All conditions hold: `success`; else `failure`. */
export interface Txn {
  readonly compare: readonly Compare[];
  readonly success: readonly Step[];
  readonly failure: readonly Step[];
}

/** The key holds exactly this text; false for an absent key. */
export function valueIs(key: string, value: string): Compare {
  return { key: toBase64(key), target: "VALUE", result: "EQUAL", value: toBase64(value) };
}

/** The key is attached to this lease. */
export function leaseIs(key: string, lease: string): Compare {
  return { key: toBase64(key), target: "LEASE", result: "EQUAL", lease };
}

/** The key was last changed at this revision; 0n: it does not exist. */
export function revisionIs(key: string, revision: bigint): Compare {
  const wanted = { mod_revision: revision.toString() };
  return { key: toBase64(key), target: "MOD", result: "EQUAL", ...wanted };
}

/** The key was not written after this revision of the store, or does not exist. */
export function unchangedSince(key: string, revision: bigint): Compare {
  const next = { mod_revision: (revision + 1n).toString() };
  return { key: toBase64(key), target: "MOD", result: "LESS", ...next };
}

/** The key does not exist. */
export function isAbsent(key: string): Compare {
  return { key: toBase64(key), target: "CREATE", result: "EQUAL", create_revision: "0" };
}

/** The key exists. */
export function exists(key: string): Compare {
  return { key: toBase64(key), target: "CREATE", result: "GREATER", create_revision: "0" };
}

/** Gives an existing key a new revision, its value and lease as they are; an absent key fails the transaction. */
export function touch(key: string): Step {
  return { request_put: { key: toBase64(key), ignore_value: true, ignore_lease: true } };
}

/** Writes the key; without a lease it stays until it is deleted. */
export function put(key: string, value: string, lease: string | null = null): Step {
  return { request_put: putBody(key, value, lease) };
}

/** Writes the key unless it exists. */
export function putIfAbsent(key: string, value: string): Step {
  return nested({ compare: [isAbsent(key)], success: [put(key, value)], failure: [] });
}

/** The body of a put outside a transaction. */
export function putBody(key: string, value: string, lease: string | null): JsonObject {
  return { key: toBase64(key), value: toBase64(value), ...(lease === null ? {} : { lease }) };
}

/** Deletes one key. */
export function remove(key: string): Step {
  return { request_delete_range: { key: toBase64(key) } };
}

/** Deletes everything below a prefix. */
export function removePrefix(prefix: string): Step {
  return { request_delete_range: prefixRange(prefix) };
}

/** Reads one key. */
export function readKey(key: string): Step {
  return { request_range: keyRange(key) };
}

/** The body of `/v3/kv/range` for one key; linearizable, etcd's default. */
export function keyRange(key: string): { readonly key: string } {
  return { key: toBase64(key) };
}

/** Reads everything below a prefix. */
export function readPrefix(prefix: string): Step {
  return { request_range: prefixRange(prefix) };
}

/** A transaction as a step of another. */
export function nested(txn: Txn): Step {
  return { request_txn: txnBody(txn) };
}

/** The body of `/v3/kv/txn`. */
export function txnBody(txn: Txn): JsonObject {
  return { compare: txn.compare, success: txn.success, failure: txn.failure };
}

/** The body of `/v3/kv/range` for everything below a prefix; linearizable, etcd's default. */
export function prefixRange(prefix: string): { readonly key: string; readonly range_end: string } {
  return { key: toBase64(prefix), range_end: toBase64(endOf(prefix)) };
}

/** The first key after all keys with this prefix. Its last character is `/`, so there is a next one. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** True when the conditions held: the gateway leaves `succeeded` out when it is false. */
export function hasSucceeded(body: JsonObject): boolean {
  return body["succeeded"] === true;
}

/** The revision of the store in the header of an answer. */
export function revisionOf(body: JsonObject): bigint {
  return BigInt(int64In(objectIn(body, "header"), "revision"));
}

/** The keys that the first step of the chosen branch read, which must be a range. */
export function entriesRead(body: JsonObject): readonly Entry[] {
  const [first] = objectsIn(body, "responses");
  return first === undefined ? [] : entriesOf(objectIn(first, "response_range"));
}

/** The keys in the answer of a range. */
export function entriesOf(range: JsonObject): readonly Entry[] {
  return objectsIn(range, "kvs").map((kv) => ({
    key: fromBase64(kv["key"]) ?? "",
    value: fromBase64(kv["value"]),
    lease: int64In(kv, "lease"),
    revision: BigInt(int64In(kv, "mod_revision")),
  }));
}

/** Keys and revision of one answer. */
export function snapshotOf(body: JsonObject, entries: readonly Entry[]): Snapshot {
  return { revision: revisionOf(body), entries };
}

function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** The text behind base64; absent is the empty text, bytes that are no UTF-8 are null. */
export function fromBase64(value: unknown): string | null {
  try {
    const bytes = Uint8Array.fromBase64(typeof value === "string" ? value : "");
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
