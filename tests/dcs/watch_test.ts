import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { ample, brief, dcsOf } from "./dcs_of.ts";
import { good, HANG, HEADER, refusal, startFake, stream } from "./fake_gateway.ts";
import type { FakeGateway, Script } from "./fake_gateway.ts";

const line = (result: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ result: { header: HEADER, ...result } })}\n`;

const createdAt = (revision: string, clusterId = HEADER.cluster_id): string =>
  line({ created: true, header: { ...HEADER, revision, cluster_id: clusterId } });
const CREATED = line({ created: true });
const changeOf = (key: string, version = "7"): string =>
  line({ events: [{ kv: { key: btoa(`/service/demo/${key}`), version } }] });

interface Watching {
  readonly fake: FakeGateway;
  readonly hints: () => number;
}

/** Watches a fake until `holds`, at most 10 s. */
async function watchUntil(
  script: Script,
  holds: (watching: Watching) => boolean,
  silenceMs = 30_000,
): Promise<Watching> {
  await using fake = startFake(script);
  const closer = new AbortController();
  let count = 0;
  const watching = { fake, hints: () => count };
  const done = dcsOf([fake]).watch(() => void count++, () => silenceMs, closer.signal);
  const endsMs = performance.now() + 10_000;
  while (!holds(watching) && performance.now() < endsMs) await turn();
  closer.abort();
  await done;
  ok(holds(watching), `after ${count} hints and ${fake.seen.length} requests`);
  return watching;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("watch() hints once the watch is created and at each waking key", async () => {
  const parts = [CREATED, changeOf("status"), changeOf("leader"), changeOf("members/a")];
  const { hints, fake } = await watchUntil(() => stream(parts), ({ hints }) => hints() === 2);
  strictEqual(hints(), 2);
  strictEqual(fake.seen[0]?.headers.get("grpc-metadata-hasleader"), "true");
});

Deno.test("watch() hints at a member that appears", async () => {
  const parts = [CREATED, changeOf("members/b"), changeOf("members/b", "1")];
  const { hints } = await watchUntil(() => stream(parts), ({ hints }) => hints() === 2);
  strictEqual(hints(), 2);
});

Deno.test("watch() puts together a message that comes in pieces", async () => {
  const text = CREATED + changeOf("leader");
  const parts = [text.slice(0, 30), text.slice(30, text.length - 20), text.slice(-20)];
  await watchUntil(() => stream(parts), ({ hints }) => hints() === 2);
});

Deno.test("watch() does not hint for a watch that is cancelled as it is created, and asks again", async () => {
  const denied = line({ created: true, canceled: true, cancel_reason: "permission denied" });
  const { hints } = await watchUntil(() => stream([denied]), ({ fake }) => fake.seen.length === 3);
  strictEqual(hints(), 0);
});

Deno.test("A4 watch() leaves a cancelled stream that stays open", async () => {
  const parts = [CREATED, line({ canceled: true, compact_revision: "7" })];
  await watchUntil(() => stream(parts), ({ hints }) => hints() === 2);
});

Deno.test("watch() opens a new stream when the old one ends", async () => {
  await watchUntil(() => stream([CREATED], true), ({ hints }) => hints() === 3);
});

Deno.test("watch() opens a new stream when the old one is silent, and hints when etcd has changed", async () => {
  const script: Script = (_, index) => stream([createdAt(String(index))]);
  await watchUntil(script, ({ hints }) => hints() === 3, 50);
});

Deno.test("watch() does not hint for a new stream when nothing has changed since the silent one", async () => {
  const { hints } = await watchUntil(
    () => stream([CREATED]),
    ({ fake }) => fake.seen.length === 4,
    50,
  );
  strictEqual(hints(), 1);
});

Deno.test("watch() hints when the revision is that of the silent stream, but in another etcd", async () => {
  const script: Script = (_, index) => stream([createdAt("42", String(index + 1))]);
  await watchUntil(script, ({ hints }) => hints() === 3, 50);
});

Deno.test("watch() knows from a change that wakes nobody how far the silent stream had come", async () => {
  const parts = [createdAt("41"), changeOf("status")];
  const script: Script = (_, index) => stream(index === 0 ? parts : [CREATED]);
  const { hints } = await watchUntil(script, ({ fake }) => fake.seen.length === 4, 50);
  strictEqual(hints(), 1);
});

Deno.test("watch() survives refusals, garbage and endpoints that hang", async () => {
  const replies = [refusal(503, 14, "no leader"), good(), stream(["garbage\n"]), HANG];
  const script: Script = (_, index) => replies[index] ?? stream([CREATED]);
  await watchUntil(script, ({ hints }) => hints() === 1);
});

Deno.test("A5 read() fails while a watch lives on and nobody answers, though it has seen the keys", async () => {
  let dead = false;
  const script: Script = ({ path }) =>
    path === "/v3/watch" ? stream([CREATED]) : dead ? HANG : good();
  await using fake = startFake(script);
  const dcs = dcsOf([fake]);
  const closer = new AbortController();
  const created = Promise.withResolvers<void>();
  const done = dcs.watch(() => created.resolve(), () => 30_000, closer.signal);
  await created.promise;
  await dcs.read(ample());
  dead = true;
  await rejects(dcs.read(brief()), DcsUnreachable);
  strictEqual(fake.seen.filter(({ path }) => path === "/v3/watch").length, 1);
  closer.abort();
  await done;
});

Deno.test("watch() ends at once when its signal aborts", async () => {
  await using fake = startFake(() => HANG);
  await dcsOf([fake]).watch(() => {}, () => 30_000, AbortSignal.abort());
  strictEqual(fake.seen.length, 0);
});

Deno.test("watch() leaves an open stream at once when its endpoint fails, and goes to another one", async () => {
  const isWatch = (path: string): boolean => path === "/v3/watch";
  await using hung = startFake(({ path }) => isWatch(path) ? stream([CREATED]) : HANG);
  await using fine = startFake(({ path }) => isWatch(path) ? stream([CREATED]) : good());
  const dcs = dcsOf([hung, fine]);
  const closer = new AbortController();
  const created = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let hints = 0;
  const done = dcs.watch(() => created[hints++]?.resolve(), () => 3_600_000, closer.signal);
  await created[0]?.promise;
  strictEqual(fine.seen.length, 0);
  await dcs.read(ample()); // finds that the first endpoint hangs
  await Promise.race([created[1]?.promise, aborted(ample())]);
  deepStrictEqual([hung, fine].map(watches), [1, 1]);
  closer.abort();
  await done;
});

function watches({ seen }: FakeGateway): number {
  return seen.filter(({ path }) => path === "/v3/watch").length;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
