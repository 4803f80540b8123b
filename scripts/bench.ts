import { parseArgs } from "node:util";
import { api } from "./benchmark/api.ts";
import { host, hostShort, postmaster } from "./benchmark/crash.ts";
import { freeze } from "./benchmark/freeze.ts";
import { idle } from "./benchmark/idle.ts";
import { readReport, type Report, shortfalls, tableOf } from "./benchmark/report.ts";
import type { Measured, Program, Row } from "./benchmark/row.ts";
import { start, startShort } from "./benchmark/start.ts";
import { switchover } from "./benchmark/switchover.ts";
import { print } from "./playground/print.ts";

const ROWS: readonly Row[] = [
  start,
  startShort,
  switchover,
  postmaster,
  host,
  hostShort,
  freeze,
  api,
  idle,
];

const PROGRAMS: readonly Program[] = ["agent", "patroni"];

const USAGE =
  `Usage: scripts/bench [--only row]... [--program agent|patroni] [--rounds N] [--json file]
Compares the agent with the distribution's Patroni on this machine. The rows are:
  ${ROWS.map(({ name, rounds }) => `${name} (${rounds})`).join(", ")}
with the rounds that each has without --rounds. What --json finds in the file and what is not measured
again stays in it and in the table; --program measures only one of the two.`;

interface Wish {
  readonly rows: readonly Row[];
  readonly programs: readonly Program[];
  readonly rounds: number | null;
  readonly json: string | null;
}

/** What the command line asks for, or null when it cannot be understood. */
function wishOf(args: readonly string[]): Wish | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", multiple: true },
        program: { type: "string" },
        rounds: { type: "string" },
        json: { type: "string" },
      },
    });
    const wanted = values.only ?? ROWS.map(({ name }) => name);
    const rows = ROWS.filter(({ name }) => wanted.includes(name));
    const rounds = values.rounds === undefined ? null : Number(values.rounds);
    const programs = PROGRAMS.filter((name) => name === (values.program ?? name));
    const fits = rounds === null || (Number.isInteger(rounds) && rounds >= 1);
    if (!fits || programs.length === 0) return null;
    if (wanted.some((name) => !ROWS.some((row) => row.name === name))) return null;
    return { rows, programs, rounds, json: values.json ?? null };
  } catch {
    return null; // parseArgs names only the first fault; the usage names all that is possible
  }
}

async function run(wish: Wish): Promise<number> {
  const before = wish.json === null ? null : await readReport(wish.json);
  let report: Report = { agent: {}, patroni: {}, ...before, about: await about() };
  for (const row of wish.rows) {
    for (const program of wish.programs) {
      const measured = await measure(row, program, wish.rounds ?? row.rounds);
      report = { ...report, [program]: { ...report[program], ...measured } };
    }
    if (wish.json !== null) {
      await Deno.writeTextFile(wish.json, `${JSON.stringify(report, null, 2)}\n`);
    }
  }
  await print(Object.entries(report.about).map(([what, text]) => `${what}: ${text}`).join("\n"));
  await print(tableOf(ROWS, report));
  const short = shortfalls(ROWS, report);
  await print(short.length === 0 ? "Nothing falls short" : `Falls short: ${short.join("; ")}`);
  return 0;
}

async function measure(row: Row, program: Program, rounds: number): Promise<Measured> {
  await print(`${row.name}: ${program}, ${rounds} rounds`);
  const measured = await row.measure(program, rounds);
  const texts = Object.entries(measured).map(([name, values]) =>
    `${name} ${values.map((value) => Number(value.toPrecision(4))).join(" ")}`
  );
  await print(`  ${texts.join(", ")}`);
  return measured;
}

async function about(): Promise<Report["about"]> {
  const [patroni, etcd] = await Promise.all([
    firstLine("patroni", "--version"),
    firstLine("etcd", "--version"),
  ]);
  const machine = `${navigator.hardwareConcurrency} processors, load ${
    Deno.loadavg().map((load) => load.toFixed(1)).join(" ")
  } at the start`;
  return { when: new Date().toISOString(), machine, patroni, etcd };
}

async function firstLine(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [...args] }).output();
  return new TextDecoder().decode(stdout).split("\n")[0] ?? "";
}

const wish = wishOf(Deno.args);
if (wish === null) await print(USAGE);
Deno.exit(wish === null ? 2 : await run(wish));
