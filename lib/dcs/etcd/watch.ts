import type { Clock } from "../../base/clock.ts";
import { DcsUnreachable } from "../../base/errors.ts";
import { isWakingKey } from "../keys.ts";
import type { Keys } from "../keys.ts";
import { int64In, objectIn, objectsIn, parseObject } from "./answer.ts";
import type { JsonObject } from "../../base/json.ts";
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
 * wakes members, until `signal` aborts. A stream in place of a silent one tells nothing when etcd is where the silent one
 * left it: an idle cluster is not woken. Never throws for a failing store.
 */
export async function watch(
  options: WatchOptions,
  onHint: () => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = PAUSE_MIN_MS;
  let known: string | null = null;
  while (!signal.aborted) {
    const { started, silentAt } = await watchOnce(options, { onHint, known }, signal);
    known = silentAt;
    pauseMs = started ? PAUSE_MIN_MS : Math.min(pauseMs * 2, PAUSE_MAX_MS);
    await options.clock.sleep(pauseMs, signal);
  }
}

interface Hearer {
  readonly onHint: () => void;
  /** Where the silent stream before has left etcd; null: there is none. */
  readonly known: string | null;
}

interface StreamEnd {
  /** etcd confirmed the watch. */
  readonly started: boolean;
  /** Where etcd was by the last message of a stream that fell silent; null: it ended in another way. */
  readonly silentAt: string | null;
}

/** One stream from start to end. */
async function watchOnce(
  options: WatchOptions,
  { onHint, known }: Hearer,
  signal: AbortSignal,
): Promise<StreamEnd> {
  using closer = closerOf(signal);
  let started = false;
  let at: string | null = null;
  try {
    const body = { create_request: prefixRange(options.keys.prefix) };
    const stream = await options.gateway.open({ path: "/v3/watch", body }, closer.signal);
    const lines = linesOf(stream, options, closer.signal);
    while (true) {
      const next = await lines.next();
      if (next.done === true) return { started, silentAt: next.value === "silent" ? at : null };
      const frame = readFrame(options.keys, next.value);
      if (frame.kind === "ended") return { started, silentAt: null };
      started ||= frame.kind === "created";
      at = frame.at ?? at;
      const isNews = frame.kind === "created"
        ? at === null || at !== known
        : frame.kind === "changed";
      if (isNews) onHint();
    }
  } catch (error) {
    if (!(error instanceof DcsUnreachable) && !isStreamEnd(error)) throw error;
  }
  return { started, silentAt: null };
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
): AsyncGenerator<string, "silent" | "over"> {
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const next = reader.read();
    next.catch(() => {}); // the stream is aborted while nobody waits for it any more
    const wait = await arrives(next, stream.url, options, signal);
    if (wait !== "arrived") return wait;
    const { value, done } = await next;
    if (done) return "over";
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
): Promise<"arrived" | "silent" | "over"> {
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
    if (came) return "arrived";
  }
  return failed || signal.aborted ? "over" : "silent";
}

interface Frame {
  readonly kind: "created" | "changed" | "nothing" | "ended";
  /** Which etcd, and its revision at this message; null: it does not say. */
  readonly at: string | null;
}

/**
 * A watch that etcd cancels (compaction, missing permission) stays open and silent, so leaving it is up to us; its
 * first message may be `created` and `canceled` at once.
 */
function readFrame(keys: Keys, line: string): Frame {
  const message = parseObject(line);
  const result = objectIn(message ?? {}, "result");
  return { kind: kindOf(keys, line, message), at: placeOf(objectIn(result, "header")) };
}

function placeOf(header: JsonObject): string | null {
  const revision = int64In(header, "revision");
  return revision === "0" ? null : `${int64In(header, "cluster_id")} ${revision}`;
}

function kindOf(keys: Keys, line: string, message: JsonObject | null): Frame["kind"] {
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
