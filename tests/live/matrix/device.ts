import { systemClock } from "../../../lib/base/clock.ts";

/**
 * When the device would reset its host, on the boot clock: its timeout after the last thing that it got. Null when it
 * was closed in order, or never opened.
 */
export async function resetMs(file: string): Promise<number | null> {
  const text = await Deno.readTextFile(file);
  const [, seconds, fed = ""] = /Ctimeout=(\d+)\n([1V]*)$/.exec(text) ?? [];
  if (seconds === undefined || fed.endsWith("V")) return null;
  const { mtime } = await Deno.stat(file);
  const ageMs = systemClock.wallMs() - (mtime?.getTime() ?? 0);
  return systemClock.bootMs() - ageMs + Number(seconds) * 1000;
}
