import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { consented } from "../../lib/runtime/consents.ts";
import type { AskConsents, ConsentRound } from "../../lib/runtime/consents.ts";
import type { ConsentAnswer, ConsentRequest } from "../../lib/runtime/peers.ts";
import { lsn, self } from "../core/builders.ts";
import { leader, leftMs, signal } from "./keeper_world.ts";
import type { World } from "./keeper_world.ts";

const MEMBERS = { b: "http://b/patroni", c: "http://c/patroni" };
const YES: ConsentAnswer = { kind: "consented", name: "b", lsn: lsn(9) };
const ALL: readonly ConsentAnswer[] = [YES, { kind: "consented", name: "c", lsn: null }];

interface Round extends World {
  readonly requests: ConsentRequest[];
  readonly feeds: number[];
  round(answers: readonly ConsentAnswer[] | AskConsents, members?: object): Promise<ConsentRound>;
}

/** A leader 20 s after its last proof. */
async function cutOff(): Promise<Round> {
  const made = await leader();
  await made.clock.advance(20_000);
  const requests: ConsentRequest[] = [];
  const feeds: number[] = [];
  const round: Round["round"] = (answers, members = MEMBERS) => {
    const askConsents: AskConsents = (request, one) => {
      requests.push(request);
      return typeof answers === "function" ? answers(request, one) : Promise.resolve(answers);
    };
    const watchdog = { feed: (askedMs: number): Promise<void> => (feeds.push(askedMs), DONE) };
    const ports = { ...made, askConsents, watchdog };
    const context = { sender: self(), consentMs: 4400, ttlMs: 30_000 };
    return consented({ members: { ...members }, slots: { a: lsn(5) } }, ports, context, signal);
  };
  return { ...made, requests, feeds, round };
}

const DONE = Promise.resolve();

Deno.test("C1 consented() extends the lease when every member says yes, and feeds the watchdog", async () => {
  const made = await cutOff();
  const askedMs = made.clock.bootMs();
  const slow: AskConsents = async () => {
    await made.clock.sleep(1500);
    return ALL;
  };
  const asking = made.round(slow);
  await made.clock.advance(1500);
  deepStrictEqual(await asking, {
    result: "done",
    reason: null,
    facts: { consents: { b: lsn(9) } },
  });
  strictEqual(leftMs(made), 28_500);
  deepStrictEqual(made.feeds, [askedMs]);
  deepStrictEqual([made.requests[0]?.ttlMs, made.requests[0]?.tryMs], [30_000, 2000]);
});

Deno.test("C6 consented() needs nobody in a cluster of one", async () => {
  const made = await cutOff();
  strictEqual((await made.round([], {})).result, "done");
  strictEqual(leftMs(made), 30_000);
});

const NOT_ALL: readonly (readonly [string, readonly ConsentAnswer[], string])[] = [
  [
    "one says no",
    [YES, { kind: "refused", name: "c", why: "500 no" }],
    "c does not consent: 500 no",
  ],
  ["one is missing", [YES], "c does not consent: it was not asked"],
  ["one says yes twice", [YES, YES], "c does not consent: it was not asked"],
];

for (const [title, answers, reason] of NOT_ALL) {
  Deno.test(`C2 consented() leaves the lease as it is when ${title}`, async () => {
    const made = await cutOff();
    deepStrictEqual(await made.round(answers), { result: "refused", reason });
    strictEqual(leftMs(made), 10_000);
    deepStrictEqual(made.feeds, []);
  });
}

Deno.test("consented() changes nothing when the answers come after the stop time", async () => {
  const made = await cutOff();
  const slow: AskConsents = async () => {
    await made.clock.sleep(5000);
    return ALL;
  };
  const asking = made.round(slow);
  await made.clock.advance(5000);
  strictEqual((await asking).result, "refused");
  strictEqual(leftMs(made), 5000);
});

Deno.test("consented() feeds no watchdog for a lock that was given up meanwhile", async () => {
  const made = await cutOff();
  const lost: AskConsents = () => {
    made.keeper.giveUp();
    return Promise.resolve(ALL);
  };
  strictEqual((await made.round(lost)).result, "refused");
  deepStrictEqual([leftMs(made), made.feeds], ["none", []]);
});
