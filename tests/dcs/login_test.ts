import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { EtcdUser } from "../../lib/dcs/etcd/login.ts";
import { ample, brief, dcsOf } from "./dcs_of.ts";
import { type FakeGateway, good, HANG, refusal, type Reply, startFake } from "./fake_gateway.ts";

const OLD = { username: "agent", password: "old" };
const NEW = { username: "agent", password: "new" };
const OTHER = { username: "other", password: "x" };

const WRONG = refusal(400, 3, "etcdserver: authentication failed, invalid user ID or password");
const STALE = refusal(401, 16, "etcdserver: invalid auth token");
const DENIED = refusal(403, 7, "etcdserver: permission denied");

/** What an etcd with logins knows; tests change it while it runs. */
interface Users {
  /** Password by name. */
  readonly known: Map<string, string>;
  /** Names that may use the keys. */
  readonly mayWrite: Set<string>;
  /** Tokens that are valid no more. */
  readonly ended: Set<string>;
  isDown: boolean;
}

interface World extends AsyncDisposable {
  readonly users: Users;
  readonly fake: FakeGateway;
}

/** Tokens are `name:password`. */
function etcdWith({ username, password }: EtcdUser): World {
  const users: Users = {
    known: new Map([[username ?? "", password ?? ""]]),
    mayWrite: new Set(["agent"]),
    ended: new Set(),
    isDown: false,
  };
  const fake = startFake(({ path, body, headers }): Reply => {
    if (users.isDown) return HANG;
    if (path === "/v3/auth/authenticate") {
      const { name, password } = JSON.parse(body);
      const token = `${name}:${password}`;
      if (users.known.get(name) !== password) return WRONG;
      users.ended.delete(token);
      return good({ token });
    }
    const token = headers.get("authorization") ?? "";
    const [name = ""] = token.split(":");
    if (users.ended.has(token)) return STALE;
    return users.mayWrite.has(name) ? good() : DENIED;
  });
  return { users, fake, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

const lastToken = ({ seen }: FakeGateway): string | null =>
  seen.at(-1)?.headers.get("authorization") ?? null;

Deno.test("relogin() uses a new password from the next call on when etcd takes it", async () => {
  await using world = etcdWith(OLD);
  const dcs = dcsOf([world.fake], OLD);
  await dcs.read(ample());
  world.users.known.set("agent", "new");

  strictEqual(await dcs.relogin(NEW, ample()), null);
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:new");
});

Deno.test("relogin() to a wrong password says so, and the login from before goes on, also anew", async () => {
  await using world = etcdWith(OLD);
  const dcs = dcsOf([world.fake], OLD);
  await dcs.read(ample());

  match(await dcs.relogin(NEW, ample()) ?? "", /authentication failed/);
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:old");
  world.users.ended.add("agent:old");
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:old");
});

Deno.test("relogin() before etcd has the new password: no call fails when it has", async () => {
  await using world = etcdWith(OLD);
  const dcs = dcsOf([world.fake], OLD);
  await dcs.read(ample());
  await dcs.relogin(NEW, ample());

  world.users.known.set("agent", "new");
  world.users.ended.add("agent:old");
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:new");
});

Deno.test("relogin() to a user without rights says so, and the one before goes on", async () => {
  await using world = etcdWith(OLD);
  world.users.known.set("other", "x");
  const dcs = dcsOf([world.fake], OLD);
  await dcs.read(ample());

  match(await dcs.relogin(OTHER, ample()) ?? "", /permission denied/);
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:old");

  world.users.mayWrite.add("other");
  strictEqual(await dcs.relogin(OTHER, ample()), null);
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "other:x");
});

Deno.test("relogin() without an answer keeps the token, and both users for the next login", async () => {
  for (const password of ["old", "new"]) {
    await using world = etcdWith(OLD);
    const dcs = dcsOf([world.fake], OLD);
    await dcs.read(ample());
    world.users.isDown = true;
    match(await dcs.relogin(NEW, brief()) ?? "", /Cannot reach etcd/);

    world.users.isDown = false;
    await dcs.read(ample());
    strictEqual(lastToken(world.fake), "agent:old");
    world.users.known.set("agent", password);
    world.users.ended.add(password === "new" ? "agent:old" : "");
    await dcs.read(ample());
    strictEqual(lastToken(world.fake), `agent:${password}`);
  }
});

Deno.test("relogin() back to what was there, or to the same, asks for nothing that could fail", async () => {
  await using world = etcdWith(OLD);
  const dcs = dcsOf([world.fake], OLD);
  await dcs.read(ample());
  const before = world.fake.seen.length;
  strictEqual(await dcs.relogin(OLD, ample()), null);
  strictEqual(world.fake.seen.length, before);

  await dcs.relogin(NEW, ample());
  strictEqual(await dcs.relogin(OLD, ample()), null);
  deepStrictEqual(await dcs.relogin({ username: null, password: null }, ample()), null);
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:old");
});

Deno.test("relogin() brings the first user of an etcd that asks for one from now on", async () => {
  await using world = etcdWith(OLD);
  world.users.mayWrite.add("");
  const dcs = dcsOf([world.fake]);
  await dcs.read(ample());
  strictEqual(await dcs.relogin(OLD, ample()), null);
  world.users.mayWrite.delete("");
  await dcs.read(ample());
  strictEqual(lastToken(world.fake), "agent:old");
});
