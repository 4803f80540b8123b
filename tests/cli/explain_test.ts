import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import { explain, readTick } from "../../lib/cli/explain.ts";
import type { Format } from "../../lib/cli/table.ts";
import type { Decision } from "../../lib/core/action.ts";
import { encodeJson } from "../../lib/core/codec.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import { nodeView, raceView } from "../core/builders.ts";
import { world } from "./faces.ts";

const LEADING = nodeView();
const RACING = raceView();

function recorded(view: typeof LEADING, decision?: Decision): string {
  return encodeJson({
    at: "2026-01-01T10:00:00.000Z",
    view,
    memory: initialMemory,
    decision: decision ?? decide(view, initialMemory),
    outcomes: [],
  });
}

/** Exit code and output of explain for a recording with these lines. */
async function explained(
  lines: readonly string[],
  { tick = -1, format = "json" }: { readonly tick?: number; readonly format?: Format } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
    const { context, out, err } = world();
    const code = await explain(context.output, { path, tick, format });
    return { code, out: out.join(""), err: err.join("") };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("explain() replays the last tick and finds the recorded decision again", async () => {
  const { code, out } = await explained([recorded(RACING), recorded(LEADING)]);
  const { decision, replay, rungs } = JSON.parse(out);

  deepStrictEqual([code, replay], [0, "same"]);
  strictEqual(decision.rule, decide(LEADING, initialMemory).rule);
  deepStrictEqual(rungs.filter((rung: { answered: boolean }) => rung.answered).length, 1);
});

Deno.test("explain() takes a tick by its number from either end", async () => {
  const lines = [recorded(RACING), recorded(LEADING)];
  const first = await explained(lines, { tick: 0 });
  const same = await explained(lines, { tick: -2 });

  strictEqual(JSON.parse(first.out).decision.rule, decide(RACING, initialMemory).rule);
  strictEqual(first.out, same.out);
});

Deno.test("explain() ends with 1 when the ladder decides otherwise today", async () => {
  const other: Decision = {
    rule: "gone",
    why: "an older ladder",
    actions: [],
    again: false,
    wakeAtMs: null,
  };
  const { code, out } = await explained([recorded(LEADING, other)]);

  deepStrictEqual([code, JSON.parse(out).replay], [1, "different"]);
});

Deno.test("explain() marks the rung that answered with an arrow", async () => {
  const { out } = await explained([recorded(LEADING)], { format: "pretty" });

  match(out, new RegExp(`^-> ${decide(LEADING, initialMemory).rule} `, "m"));
});

Deno.test("explain() ends with 1 when there is no such tick or the line is torn", async () => {
  strictEqual((await explained([recorded(LEADING)], { tick: 5 })).code, 1);
  strictEqual((await explained([])).code, 1);
  strictEqual((await explained([recorded(LEADING).slice(0, 50)])).code, 1);
});

Deno.test("explain() names a recording that does not exist", async () => {
  const { context } = world();

  await rejects(
    explain(context.output, { path: "/no/ticks", tick: -1, format: "json" }),
    ConfigError,
  );
});

Deno.test("readTick() refuses lines of another form", () => {
  for (const line of ["1", "null", "{}", '{"at":1}', "[]", "x"]) strictEqual(readTick(line), null);
});
