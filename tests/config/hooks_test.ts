import { deepStrictEqual } from "node:assert/strict";
import { configOf, faultPaths } from "./files.ts";

Deno.test("readConfig() reads hooks as command lines", () => {
  const { hooks } = configOf(
    ["postgresql.callbacks.on_role_change", "/etc/vip.sh --interface 'eth 0'"],
    ["postgresql.pre_promote", "/etc/fence"],
    ["postgresql.before_stop", "/etc/pause pool"],
  ).postgresql;
  deepStrictEqual(hooks, {
    callbacks: { on_role_change: ["/etc/vip.sh", "--interface", "eth 0"] },
    prePromote: ["/etc/fence"],
    beforeStop: ["/etc/pause", "pool"],
  });
});

Deno.test("readConfig() has no hooks unless they are given", () => {
  deepStrictEqual(configOf().postgresql.hooks, {
    callbacks: {},
    prePromote: null,
    beforeStop: null,
  });
});

Deno.test("readConfig() wants a watchdog if there is one, as Patroni does", () => {
  deepStrictEqual(configOf().watchdog, {
    mode: "automatic",
    device: "/dev/watchdog",
    safetyMarginS: 5,
    driver: "default",
  });
});

Deno.test("readConfig() reads the watchdog, `off` as YAML reads it too", () => {
  deepStrictEqual(configOf(["watchdog.mode", false]).watchdog.mode, "off");
  const { watchdog } = configOf(["watchdog", {
    mode: "Required",
    device: "/dev/watchdog1",
    safety_margin: -1,
    driver: "testing",
  }]);
  deepStrictEqual(watchdog, {
    mode: "required",
    device: "/dev/watchdog1",
    safetyMarginS: -1,
    driver: "testing",
  });
});

Deno.test("readConfig() refuses hooks and watchdogs that it cannot read", () => {
  const faults = faultPaths(
    ["postgresql.pre_promote", "'open"],
    ["postgresql.callbacks.on_stop", ["a", "b"]],
    ["watchdog.mode", "maybe"],
    ["watchdog.safety_margin", -2],
    ["watchdog.device", "watchdog"],
  );
  deepStrictEqual([...faults].sort(), [
    "postgresql.callbacks.on_stop",
    "postgresql.pre_promote",
    "watchdog.device",
    "watchdog.mode",
    "watchdog.safety_margin",
  ]);
});
