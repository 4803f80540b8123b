import { strictEqual } from "node:assert/strict";
import { append, branchOff, contains, firstRecord } from "./wal.ts";

Deno.test("contains() is false for a position that two branches share", () => {
  const fork = append(firstRecord());

  strictEqual(contains(append(fork), fork), true);
  strictEqual(contains(append(fork), append(fork)), false);
});

Deno.test("branchOff() begins the next timeline and keeps where it left the old one", () => {
  const head = append(firstRecord());
  const { branch } = branchOff(head);

  strictEqual(branch.timeline, 2);
  strictEqual(branch.history[0]?.switchLsn, head.lsn);
});
