import { ok } from "node:assert/strict";
import { isJsonObject } from "../../lib/base/json.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { signalPid } from "../../scripts/playground/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** A member's answer to an operator. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  /** The id of the operation, "" without one. */
  readonly operation: string;
  readonly etag: string;
}

/** One request to a member's REST API; a body is sent as JSON. */
export async function order(
  member: Member,
  method: string,
  path: string,
  body: JsonObject | null = null,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const response = await member.ask(path, {
    method,
    headers,
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    text: await response.text(),
    operation: response.headers.get("x-operation-id") ?? "",
    etag: response.headers.get("etag") ?? "",
  };
}

/** Status and text of a DELETE. */
export async function deleteOf(member: Member, path: string): Promise<readonly [number, string]> {
  const { status, text } = await order(member, "DELETE", path);
  return [status, text];
}

/** The operation as it stands. */
export async function documentOf(member: Member, id: string): Promise<JsonObject> {
  const { text } = await order(member, "GET", `/operations/${id}`);
  const found: unknown = JSON.parse(text);
  ok(isJsonObject(found), text);
  return found;
}

/** Waits for the end of an operation; `seen` is what it looked like on the way. */
export async function endOf(
  member: Member,
  id: string,
  deadlineMs: number,
): Promise<{ readonly end: JsonObject; readonly seen: readonly JsonObject[] }> {
  const seen: JsonObject[] = [];
  const end = await waitFor(`the end of ${id}`, deadlineMs, async () => {
    const found = await documentOf(member, id);
    seen.push(found);
    return { met: found["ended_at"] === null ? null : found, seen: JSON.stringify(found) };
  });
  return { end, seen };
}

/** From its next start on the server lets nobody in for a long time, until the returned function is called. */
export async function holdUpStart(member: Member): Promise<() => Promise<void>> {
  await member.sql("ALTER SYSTEM SET pre_auth_delay = '30s'");
  return async () => {
    const file = `${member.dataDir}/postgresql.auto.conf`;
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace(/^pre_auth_delay.*$/m, ""));
    const pid = await member.runningPostmaster();
    if (pid !== null) signalPid(pid, "SIGHUP");
  };
}
