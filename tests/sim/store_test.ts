import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { defaultSettings } from "../../lib/core/settings.ts";
import { Store } from "./store.ts";

const TTL_MS = 30_000;

function storeWithLock(): { store: Store; lease: string } {
  const store = new Store(defaultSettings, () => undefined);
  const lease = store.grant(0, TTL_MS);
  store.takeLock("a", lease);
  return { store, lease };
}

Deno.test("Store.expire() takes the lock away when its lease is over, not before", () => {
  const { store } = storeWithLock();

  store.expire(TTL_MS - 1);
  strictEqual(store.read().lock?.holder, "a");
  store.expire(TTL_MS);
  strictEqual(store.read().lock, null);
});

Deno.test("Store.takeLock() is refused while another member holds the lock", () => {
  const { store } = storeWithLock();

  strictEqual(store.takeLock("b", store.grant(0, TTL_MS)).kind, "refused");
});

Deno.test("Store.renew() proves nothing when only the lease is alive", () => {
  const { store, lease } = storeWithLock();
  store.wipe();
  store.takeLock("b", store.grant(0, TTL_MS));

  deepStrictEqual(store.renew(1, "a", lease), { kind: "refused", keyIsFreeOrOurs: false });
});

Deno.test("Store.read() gives the same object while nothing changed", () => {
  const { store } = storeWithLock();

  strictEqual(store.read(), store.read());
});
