import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type Report, shortfalls, tableOf } from "../scripts/benchmark/report.ts";
import { median, quantile, repeated, type Row, type Wanted } from "../scripts/benchmark/row.ts";

Deno.test("median() and quantile() take the values in order", () => {
  deepStrictEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([])], [2, 2.5, NaN]);
  deepStrictEqual([quantile([3, 1, 2], 0.99), quantile([3, 1, 2], 0.5)], [3, 2]);
});

Deno.test("repeated() gathers the rounds by figure", async () => {
  deepStrictEqual(
    await repeated(3, (index) => Promise.resolve({ one: index, two: -index })),
    { one: [0, 1, 2], two: [-0, -1, -2] },
  );
});

function row(name: string, wanted: Wanted): Row {
  const figures = [{ name, title: `the ${name}`, unit: "s", wanted }];
  return { name, figures, rounds: 1, measure: () => Promise.resolve({}) };
}

const ROWS: readonly Row[] = [
  row("fast", { kind: "ratio", atMost: 0.5 }),
  row("slow", { kind: "ratio", atMost: 0.5 }),
  row("rate", { kind: "ratio", atLeast: 8 }),
  row("lost", { kind: "value", atMost: 0 }),
  row("seen", { kind: "none" }),
  row("absent", { kind: "ratio", atMost: 1 }),
];

const REPORT: Report = {
  agent: { fast: [1, 2, 3], slow: [6], rate: [79], lost: [1], seen: [7] },
  patroni: { fast: [4], slow: [10], rate: [10], lost: [900], seen: [1] },
  about: {},
};

Deno.test("shortfalls() names what is wanted and not there: ratios both ways, and losses of the agent", () => {
  deepStrictEqual(shortfalls(ROWS, REPORT), ["the slow", "the rate", "the lost"]);
  deepStrictEqual(shortfalls(ROWS, { ...REPORT, patroni: {} }), ["the lost"]);
});

Deno.test("tableOf() shows medians with their range, the ratio and the verdict of what was measured", () => {
  const table = tableOf(ROWS, REPORT);
  match(table, /the fast.*2\.00 \(1\.00\.\.3\.00\).*4\.00.*0\.500.*<= 0\.5.*met/);
  match(table, /the rate.*79\.0.*10\.0.*7\.90.*>= 8.*SHORT/);
  match(table, /the lost.*1\.00.*900.*agent 0.*SHORT/);
  ok(!table.includes("the absent"));
  strictEqual(/the seen.*(met|SHORT)/.test(table), false);
});
