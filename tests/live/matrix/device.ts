import { systemClock } from "../../../lib/base/clock.ts";

/**
 * When the device would reset its host, on the boot clock: its timeout after the last thing that it got. Null when it
 * was closed in order, never opened, or left open by an agent before the one that lived until `aliveMs`: then the host
 * would have been reset long ago.
 */
export async function resetMs(file: string, aliveMs: number): Promise<number | null> {
  const text = await Deno.readTextFile(file);
  const [, seconds, fed = ""] = /Ctimeout=(\d+)\n([1V]*)$/.exec(text) ?? [];
  if (seconds === undefined || fed.endsWith("V")) return null;
  const { mtime } = await Deno.stat(file);
  const ageMs = systemClock.wallMs() - (mtime?.getTime() ?? 0);
  const dueMs = systemClock.bootMs() - ageMs + Number(seconds) * 1000;
  return dueMs < aliveMs ? null : dueMs;
}
