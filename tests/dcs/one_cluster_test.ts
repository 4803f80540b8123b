import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { ample, brief, dcsOf } from "./dcs_of.ts";
import { answer, CUT, good, HANG, HEADER, refusal, startFake, stream } from "./fake_gateway.ts";
import type { FakeGateway, Reply } from "./fake_gateway.ts";

/** An etcd of one member whose cluster id, and whether it answers at all, can be changed. */
class Etcd implements AsyncDisposable {
  asked = 0;
  /** What other calls than the question who it is get, when that differs. */
  calls: Reply | null = null;
  readonly fake: FakeGateway;

  constructor(public reply: Reply) {
    this.fake = startFake(() => this.calls ?? this.reply, () => {
      this.asked++;
      return this.reply;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fake[Symbol.asyncDispose]();
  }
}

const of = (id: string): Reply =>
  good({ succeeded: true, ID: "1", TTL: "30" }, { ...HEADER, cluster_id: id });
const OLD = of("11");
const NEW = of("22");

function refused(work: Promise<unknown>, ...etcds: readonly Etcd[]): Promise<void> {
  return rejects(work, (error: Error) => {
    ok(error instanceof DcsUnreachable, error);
    return etcds.every(({ fake }) => error.message.includes(fake.url)) &&
      error.message.includes(" 11") && error.message.includes(" 22");
  });
}

Deno.test("read() works with endpoints of one cluster, and asks each of them for its id once", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(OLD);
  const dcs = dcsOf([one.fake, two.fake]);
  await dcs.read(ample());
  await dcs.read(ample());
  deepStrictEqual([one.asked, two.asked, one.fake.seen.length], [1, 1, 2]);
});

Deno.test("EtcdDcs asks nothing of endpoints of different clusters, and tells which is of which", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(NEW);
  const dcs = dcsOf([one.fake, two.fake], { username: "agent", password: "secret" });
  await refused(dcs.read(ample()), one, two);
  await refused(dcs.grantLease(30, ample()), one, two);
  strictEqual((await dcs.takeLock("a", "1", ample())).kind, "unknown");
  strictEqual((await dcs.claimBootstrap("1", ample())).kind, "unknown");
  strictEqual((await dcs.renewLock("a", "1", ample())).kind, "unknown");
  deepStrictEqual([one.fake.seen, two.fake.seen], [[], []]);
});

Deno.test("EtcdDcs lets no call pass while another one asks for the first ids", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(NEW);
  const dcs = dcsOf([one.fake, two.fake]);
  const lock = dcs.takeLock("a", "1", ample());
  strictEqual((await dcs.takeLock("a", "1", ample())).kind, "unknown");
  strictEqual((await lock).kind, "unknown");
  deepStrictEqual([one.fake.seen, two.fake.seen], [[], []]);
});

for (
  const [what, reply] of [
    ["hangs", HANG],
    ["breaks off", CUT],
    ["has no leader", refusal(503, 14, "etcdserver: no leader")],
    ["does not know the question", answer(404, "404 page not found")],
    ["names no cluster", good({}, { ...HEADER, cluster_id: "0" })],
  ] satisfies [string, Reply][]
) {
  Deno.test(`read() works when one endpoint ${what}`, async () => {
    await using silent = new Etcd(reply);
    await using fine = new Etcd(OLD);
    await dcsOf([silent.fake, fine.fake]).read(ample());
    ok(fine.fake.seen.length + silent.fake.seen.length > 0);
  });
}

Deno.test("read() goes on in a store that was rebuilt as a whole, also with a silent endpoint", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(OLD);
  await using silent = new Etcd(HANG);
  const dcs = dcsOf([one.fake, two.fake, silent.fake]);
  await dcs.read(ample());
  [one.reply, two.reply] = [NEW, NEW];
  await dcs.read(ample());
  const before = one.asked;
  await dcs.read(ample());
  deepStrictEqual([before, one.asked], [2, 2]);
});

Deno.test("an answer of a store that was rebuilt at one endpoint only does not count", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(OLD);
  const dcs = dcsOf([one.fake, two.fake]);
  await dcs.read(ample());
  one.reply = NEW;
  strictEqual((await dcs.takeLock("a", "1", ample())).kind, "unknown");
  await refused(dcs.read(ample()), one, two);
  deepStrictEqual([one.fake.seen.length, two.fake.seen.length], [2, 0]);
});

Deno.test("an answer with a new cluster id does not count when there is no time to ask the others", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(OLD);
  const dcs = dcsOf([one.fake, two.fake], { endpointMs: () => 5_000 });
  await dcs.read(ample());
  [one.reply, two.reply] = [NEW, HANG];
  await rejects(dcs.read(brief()), DcsUnreachable);
});

/** Founded with the defaults of a distribution: all of them have the same ids. */
const founded = (name: string): Reply => {
  const members = [{ ID: "5", name, clientURLs: [`http://${name}:2379`] }];
  return answer(200, { header: { ...HEADER, member_id: "5" }, members });
};

Deno.test("EtcdDcs tells etcds with the same ids from each other by what they tell of themselves", async () => {
  await using one = new Etcd(founded("e1"));
  await using two = new Etcd(founded("e2"));
  await rejects(dcsOf([one.fake, two.fake]).read(ample()), /e1 at http:.*e2 at http:/);
  two.reply = founded("e1"); // one member, by two addresses
  await dcsOf([one.fake, two.fake]).read(ample());
});

Deno.test("an answer of an endpoint that was silent before counts only when it is of the same etcd", async () => {
  await using one = new Etcd(founded("e1"));
  await using two = new Etcd(HANG);
  const dcs = dcsOf([one.fake, two.fake]);
  await dcs.read(ample());
  [one.reply, two.reply] = [refusal(503, 14, "etcdserver: no leader"), founded("e1")];
  await dcs.read(ample());
  const known = two.asked;
  await dcs.read(ample());
  strictEqual(two.asked, known);

  const other = dcsOf([one.fake, two.fake]);
  [one.reply, two.reply] = [founded("e1"), HANG];
  await other.read(ample());
  two.reply = founded("e2");
  one.calls = CUT;
  await rejects(other.read(ample()), /e2 at http:.*e1 at http:|e1 at http:.*e2 at http:/);
});

/** A clock whose long pauses end by hand, and whose time is set by hand. */
class HandClock implements Clock {
  nowMs = 1_000_000;
  readonly longMs: number[] = [];
  #end = Promise.withResolvers<void>();

  bootMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < 60_000) return await systemClock.sleep(ms, signal);
    this.longMs.push(ms);
    signal?.addEventListener("abort", () => this.endLong(), { once: true });
    await this.#end.promise;
  }

  beat(signal?: AbortSignal): Promise<void> {
    return systemClock.beat(signal);
  }

  /** Ends the long pause of now. */
  endLong(): void {
    this.#end.resolve();
    this.#end = Promise.withResolvers();
  }

  /** Waits for the long pause of this number. */
  async long(count: number): Promise<void> {
    const endsMs = performance.now() + 10_000;
    while (this.longMs.length < count && performance.now() < endsMs) {
      await systemClock.sleep(5);
    }
    ok(this.longMs.length >= count, "no look at the cluster ids");
  }
}

Deno.test("watch() finds a split from time to time, with one request a minute at most", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(HANG);
  const clock = new HandClock();
  const dcs = dcsOf([one.fake, two.fake], { clock });
  const closer = new AbortController();
  await dcs.read(ample());
  const watching = dcs.watch(() => {}, () => 30_000, closer.signal);
  await clock.long(1);
  two.reply = NEW;
  clock.endLong();
  await clock.long(2);
  await refused(dcs.read(ample()), one, two);
  deepStrictEqual(clock.longMs, [120_000, 120_000]);
  closer.abort();
  await watching;
});

Deno.test("a split ends when the ids are the same again, not when an endpoint falls silent", async () => {
  await using one = new Etcd(OLD);
  await using two = new Etcd(NEW);
  const clock = new HandClock();
  const dcs = dcsOf([one.fake, two.fake], { clock });
  await refused(dcs.read(ample()), one, two);
  for (const reply of [HANG, CUT]) {
    two.reply = reply;
    clock.nowMs += 10_000;
    await refused(dcs.read(ample()), one, two);
  }
  two.reply = OLD;
  await refused(dcs.read(ample()), one, two); // not asked again so soon
  clock.nowMs += 10_000;
  await dcs.read(ample());
});

Deno.test("one endpoint alone, say a proxy, is not asked for its cluster id", async () => {
  await using one = new Etcd(OLD);
  const clock = new HandClock();
  const dcs = dcsOf([one.fake], { clock });
  await dcs.read(ample());
  one.reply = NEW;
  await dcs.read(ample());
  one.reply = stream([]);
  const closer = new AbortController();
  const watching = dcs.watch(() => {}, () => 30_000, closer.signal);
  closer.abort();
  await watching;
  deepStrictEqual([one.asked, clock.longMs], [0, []]);
});
