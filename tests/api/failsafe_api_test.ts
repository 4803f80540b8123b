import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { PromiseRequest, PromiseView } from "../../lib/core/failsafe.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  held,
  lsn,
  nodeView,
  NOW_MS,
  primary,
  replica,
  replicaView,
  unreachable,
} from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

const settings = { ...defaultSettings, failsafeMode: true };
const failsafe = { members: { a: "http://a/patroni", b: "http://b/patroni" }, revision: 4n };
const SEEN = cluster({ lock: "b", settings, failsafe });
const BODY = { name: "b", conn_url: "postgres://b/", api_url: "http://b/patroni" };

/** Member "a" that writes down what it is asked to promise. */
class Asked extends TestApi {
  readonly given: PromiseRequest[];

  constructor(view: NodeView = replicaView({ cluster: SEEN }), refusal: string | null = null) {
    const given: PromiseRequest[] = [];
    const promises = {
      view: (): PromiseView | null => view.promise ?? null,
      give: (request: PromiseRequest): string | null => {
        given.push(request);
        return refusal;
      },
    };
    super({ promises }, view);
    this.given = given;
  }

  async ask(body: unknown = BODY, headers: Record<string, string> = {}): Promise<unknown[]> {
    const reply = await this.post("/failsafe", body, headers);
    return [reply.status, await reply.text(), reply.headers.get("lsn"), this.given.length];
  }
}

Deno.test("POST /failsafe consents with the own position, and remembers what was sent", async () => {
  const postgres = replica({ receivedLsn: lsn(2n ** 60n), replayedLsn: lsn(5) });
  const api = new Asked(replicaView({ cluster: SEEN, postgres }));
  const body = { ...BODY, slots: { b: 900, c: 0 } };
  const headers = { "x-consent-seconds": "45", "x-consent-of": "a" };
  deepStrictEqual(await api.ask(body, headers), [200, "Accepted", String(2n ** 60n), 1]);
  const slots = { b: lsn(900), c: lsn(0) };
  deepStrictEqual(api.given, [{ name: "b", slots, ttlMs: 45_000 }]);
});

Deno.test("POST /failsafe consents to a caller that tells no ttl and no slots, as Patroni may", async () => {
  for (const body of [BODY, { ...BODY, slots: null }]) {
    const api = new Asked();
    deepStrictEqual((await api.ask(body)).slice(0, 2), [200, "Accepted"]);
    deepStrictEqual(api.given, [{ name: "b", slots: {}, ttlMs: null }]);
  }
});

Deno.test("POST /failsafe is 502 when the mode is off, before the body is read", async () => {
  const off = new Asked(replicaView({ cluster: cluster({ lock: "b", failsafe }) }));
  const reply = await off.send("/failsafe", { method: "POST", body: "[garbage" });
  deepStrictEqual([reply.status, await reply.text()], [502, "failsafe mode is disabled"]);
});

Deno.test("C7 POST /failsafe is refused by a server out of recovery", async () => {
  const silent = { kind: "silent", systemId: "1", lastRole: "primary", why: "slow" } as const;
  for (const postgres of [primary(), silent]) {
    const api = new Asked(nodeView({ cluster: SEEN, postgres, lease: { kind: "none" } }));
    deepStrictEqual(await api.ask(), [500, "Running as a leader", null, 0]);
  }
});

Deno.test("POST /failsafe is refused when the promise is, or is meant for another member", async () => {
  const bound = new Asked(undefined, "the promise to c is in force");
  deepStrictEqual(await bound.ask(), [500, "the promise to c is in force", null, 1]);
  const other = new Asked();
  const answer = await other.ask(BODY, { "x-consent-of": "z" });
  deepStrictEqual(answer, [500, "this member is a", null, 0]);
});

Deno.test("POST /failsafe takes no garbage, and remembers nothing of it", async () => {
  const api = new Asked();
  const bodies = [
    [],
    {},
    { ...BODY, name: "" },
    { ...BODY, name: 5 },
    { ...BODY, conn_url: null },
    { ...BODY, api_url: undefined },
    { ...BODY, slots: [] },
    { ...BODY, slots: { c: "900" } },
    { ...BODY, slots: { c: -1 } },
    { ...BODY, slots: { c: 1.5 } },
  ];
  for (const body of bodies) strictEqual((await api.ask(body))[0], 400, JSON.stringify(body));
  for (const seconds of ["0", "-1", "1.5", "x", "", "100000", "1e3"]) {
    strictEqual((await api.ask(BODY, { "x-consent-seconds": seconds }))[0], 400, seconds);
  }
  deepStrictEqual(api.given, []);
});

Deno.test("POST /failsafe needs the credentials of the other unsafe calls", async () => {
  const api = new TestApi({
    access: () => ({ ...OPEN_ACCESS, authentication: { username: "u", password: "p" } }),
  });
  strictEqual((await api.post("/failsafe", BODY)).status, 401);
});

Deno.test("GET /failsafe shows the list as last seen, also without the store", async () => {
  const api = new Asked();
  const answer = async (): Promise<unknown[]> => {
    const reply = await api.send("/failsafe");
    return [reply.status, reply.status === 200 ? await reply.json() : null];
  };
  deepStrictEqual(await answer(), [200, failsafe.members]);
  api.publish(replicaView({ cluster: unreachable(SEEN) }));
  deepStrictEqual(await answer(), [200, failsafe.members]);
  api.see({ failsafe: null });
  deepStrictEqual(await answer(), [502, null]);
});

Deno.test("GET /failsafe is empty before the store was read", async () => {
  const api = new Asked(replicaView({ cluster: unreachable(null) }));
  const reply = await api.send("/failsafe");
  deepStrictEqual([reply.status, await reply.json()], [200, {}]);
  strictEqual((await api.ask())[0], 502);
});

const CONSENTED = { kind: "held", endsMs: NOW_MS + 9000, consented: true } as const;
const PROMISE = { to: "b", untilMs: NOW_MS + 9000, slots: {} };
const ACTIVE: readonly (readonly [string, NodeView, boolean])[] = [
  ["a leader by consents", nodeView({ cluster: unreachable(SEEN), lease: CONSENTED }), true],
  ["a leader by the store", nodeView({ cluster: SEEN, lease: held() }), false],
  ["a member with a promise", replicaView({ cluster: SEEN, promise: PROMISE }), true],
  ["a fresh process", replicaView({ cluster: SEEN, promise: { ...PROMISE, to: null } }), false],
  ["a member without", replicaView({ cluster: SEEN }), false],
];

for (const [title, view, isActive] of ACTIVE) {
  Deno.test(`C11 failsafe mode is ${isActive ? "" : "not "}shown as active on ${title}`, async () => {
    const api = new Asked(view);
    api.publish({ ...view, cluster: SEEN });
    api.publish(view);
    const document = await (await api.send("/patroni")).json();
    strictEqual(document.failsafe_mode_is_active, isActive ? true : undefined);
    const metrics = await (await api.send("/metrics")).text();
    const labels = '{scope="demo",name="a"}';
    match(
      metrics,
      new RegExp(`^patroni_failsafe_mode_is_active${labels} ${Number(isActive)}$`, "m"),
    );
    match(metrics, new RegExp(`^patroni_failsafe_mode_enabled${labels} 1$`, "m"));
    match(metrics, new RegExp(`^patroni_failsafe_member${labels} 1$`, "m"));
  });
}

Deno.test("C1 health checks keep saying primary while consents last, and replica while a promise does", async () => {
  const leader = new Asked(nodeView({ cluster: unreachable(SEEN), lease: CONSENTED }));
  for (const path of ["/primary", "/leader", "/readiness", "/read-write"]) {
    strictEqual((await leader.send(path)).status, 200, path);
  }
  const postgres = replica({ sourceEndLsn: null });
  const late = { cluster: unreachable(SEEN), postgres, nowMs: NOW_MS - 60_000 };
  const statusOf = async (promise: PromiseView | null): Promise<number> => {
    const api = new Asked(replicaView({ ...late, promise }));
    return (await api.send("/readiness")).status;
  };
  deepStrictEqual([await statusOf(PROMISE), await statusOf(null)], [200, 503]);
});
