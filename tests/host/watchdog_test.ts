import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { watchdogDevice } from "../../lib/host/watchdog.ts";

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "agent-watchdog" });
  try {
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("watchdogDevice() of driver testing writes what a device would get", async () => {
  await withFile(async (path) => {
    const device = watchdogDevice(path, "testing");
    strictEqual(await device.check(), null);
    deepStrictEqual(await device.open(25), { kind: "done", timeoutS: 25 });
    strictEqual(await device.keepAlive(), null);
    strictEqual(await device.keepAlive(), null);
    await device.setTimeout(15);
    strictEqual(await device.close(), null);
    strictEqual(await Deno.readTextFile(path), "Ctimeout=25\n11Ctimeout=15\nV");
  });
});

Deno.test("watchdogDevice() tells why it cannot be used, and check() opens nothing", async () => {
  for (const driver of ["default", "testing"] as const) {
    const device = watchdogDevice("/nonexistent/watchdog", driver);
    ok((await device.check())?.includes("/nonexistent/watchdog"));
    strictEqual((await device.open(25)).kind, "failed");
    strictEqual(await device.keepAlive(), "it is not open");
  }
});

Deno.test("watchdogDevice() closes a Linux device in order that takes no timeout", async () => {
  await withFile(async (path) => {
    const device = watchdogDevice(path, "default"); // a plain file answers ENOTTY to the order
    strictEqual((await device.open(25)).kind, "failed");
    strictEqual(await Deno.readTextFile(path), "V");
  });
});
