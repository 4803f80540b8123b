import type { Clock } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import { DcsUnreachable } from "../../base/errors.ts";
import { isWakingKey } from "../keys.ts";
import type { Keys } from "../keys.ts";
import { objectIn, objectsIn, parseObject } from "./answer.ts";
import type { Gateway, OpenStream } from "./gateway.ts";
import { fromBase64, prefixRange } from "./txn.ts";

/** What a watch needs beside its callback. */
export interface WatchOptions {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly clock: Clock;
  /** A stream that carried nothing for so long is reopened. */
  readonly silenceMs: () => number;
}

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2000;
/** The time of a host that was suspended is not seen by timers. */
const LOOK_EVERY_MS = 5000;

/**
 * Calls `onHint` after each start of a stream (something may have been missed) and for each change of a key that
 * wakes members, until `signal` aborts. Never throws for a failing store.
 */
export async function watch(
  options: WatchOptions,
  onHint: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = PAUSE_MIN_MS;
  while (!signal.aborted) {
    const started = await watchOnce(options, onHint, signal);
    pauseMs = started ? PAUSE_MIN_MS : Math.min(pauseMs * 2, PAUSE_MAX_MS);
    await options.clock.sleep(pauseMs, signal);
  }
}

/** One stream from start to end; true when etcd confirmed the watch. */
async function watchOnce(
  options: WatchOptions,
  onHint: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  using closer = closerOf(signal);
  let started = false;
  try {
    const body = { create_request: prefixRange(options.keys.prefix) };
    const stream = await options.gateway.open({ path: "/v3/watch", body }, closer.signal);
    for await (const line of linesOf(stream, options, closer.signal)) {
      const frame = readFrame(options.keys, line);
      if (frame === "ended") return started;
      started ||= frame === "created";
      if (frame !== "nothing") onHint();
    }
  } catch (error) {
    if (!(error instanceof DcsUnreachable) && !isStreamEnd(error)) throw error;
  }
  return started;
}

interface Closer extends Disposable {
  readonly signal: AbortSignal;
  readonly close: () => void;
}

/**
 * Aborts on disposal, or together with the parent. Not `AbortSignal.any`: the parent lives as long as the process
 * and would collect one dependent for each stream.
 */
function closerOf(parent: AbortSignal): Closer {
  const controller = new AbortController();
  const close = (): void => controller.abort(parent.reason);
  if (parent.aborted) close();
  parent.addEventListener("abort", close, { once: true });
  return {
    signal: controller.signal,
    close,
    [Symbol.dispose](): void {
      parent.removeEventListener("abort", close);
      controller.abort();
    },
  };
}

/** The messages of a stream; ends when it closes, was silent for too long, or its endpoint failed meanwhile. */
async function* linesOf(
  stream: OpenStream,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const next = reader.read();
    next.catch(() => {}); // the stream is aborted while nobody waits for it any more
    if (!await arrives(next, stream.url, options, signal)) return;
    const { value, done } = await next;
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function arrives(
  next: Promise<unknown>,
  url: string,
  { clock, gateway, silenceMs }: WatchOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const endsMs = clock.bootMs() + silenceMs();
  let failed = false;
  let came = false;
  while (!signal.aborted && !failed && clock.bootMs() < endsMs) {
    using waiting = closerOf(signal);
    using _failures = gateway.onFailure(url, () => {
      failed = true;
      waiting.close();
    });
    const arrived = next.then(() => came = true, () => came = true);
    const lookMs = Math.min(LOOK_EVERY_MS, endsMs - clock.bootMs());
    await Promise.race([arrived, clock.sleep(lookMs, waiting.signal)]);
    if (came) return true;
  }
  return false;
}

type Frame = "created" | "changed" | "nothing" | "ended";

/**
 * A watch that etcd cancels (compaction, missing permission) stays open and silent, so leaving it is up to us; its
 * first message may be `created` and `canceled` at once.
 */
function readFrame(keys: Keys, line: string): Frame {
  const message = parseObject(line);
  if (message === null) return line.trim() === "" ? "nothing" : "ended";
  const result = objectIn(message, "result");
  if (message["error"] !== undefined || result["canceled"] === true) return "ended";
  if (result["created"] === true) return "created";
  const changed = objectsIn(result, "events").map((event) => objectIn(event, "kv"));
  return changed.some((kv) => wakes(keys, kv)) ? "changed" : "nothing";
}

/** A key that is put for the first time, or for the first time since it was gone, has version 1; a deleted one has none. */
function wakes(keys: Keys, kv: JsonObject): boolean {
  const key = fromBase64(kv["key"]);
  return key !== null && isWakingKey(keys, key, kv["version"] === "1");
}

/** `fetch` ends a broken stream with a TypeError and an aborted one with the reason of the signal. */
function isStreamEnd(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException;
}
