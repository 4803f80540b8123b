import { within } from "../base/deadline.ts";
import { parseSeconds } from "../base/units.ts";
import type { CommandContext } from "./command.ts";
import { findServer, type ServerChoice } from "./dsn.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { complaint, plainLine } from "./output.ts";
import { repeat } from "./repeat.ts";
import type { SqlAnswer, SqlRequest, SqlRows } from "./sql_access.ts";
import { renderTable, type Table } from "./table.ts";

/** What `agent query` is told. */
export interface QueryOptions extends ServerChoice {
  readonly command: string | null;
  /** File with the statement, `-` for stdin. */
  readonly file: string | null;
  readonly username: string | null;
  readonly database: string | null;
  /** Ask for the password. */
  readonly password: boolean;
  /** Between the cells of a row in the form tsv. */
  readonly delimiter: string;
  /** How long one run may take, as typed: seconds or with a unit. */
  readonly timeout: string;
  /** Seconds between two runs; null: one run. */
  readonly watchS: number | null;
}

/**
 * `agent query`: runs SQL on the server of a member, which must have the wished role at that moment. Returns 0, 1 refused
 * or failed, 2 wrong usage, 3 when the statement may have run. Throws `DcsUnreachable`, `ConfigError`.
 */
export async function query(context: CommandContext, options: QueryOptions): Promise<number> {
  const { output, workplace } = context;
  const limitS = parseSeconds(options.timeout) ?? 0;
  const fault = faultOf(context, options, limitS);
  if (fault !== null) {
    await output.err(complaint(fault.what, fault.next));
    return EXIT.usage;
  }
  const text = options.command ?? await workplace.read(options.file ?? "-");
  const password = options.password ? await context.prompt.askSecret("Password: ") : null;
  const wanted = { ...options, text, password, limitMs: limitS * 1000 };
  return await repeat(context, options.watchS, () => queryOnce(context, wanted));
}

const DAY_S = 86_400;

interface Fault {
  readonly what: string;
  readonly next: string;
}

function faultOf(
  { prompt }: CommandContext,
  { command, file, member, role, timeout, password }: QueryOptions,
  limitS: number,
): Fault | null {
  if ((command === null) === (file === null)) {
    const next = 'agent query -c "SELECT 1", or agent query --file statement.sql';
    return { what: "give the statement by one of --command and --file", next };
  }
  if (member !== null && role !== null) {
    return { what: "give one of --member and --role", next: "agent list shows both." };
  }
  if (password && !prompt.isTerminal) {
    return { what: "Cannot ask for the password: stdin is no terminal", next: "Set PGPASSWORD." };
  }
  if (limitS > 0 && limitS <= DAY_S) return null;
  const next = "Write it like 90 or 5min, at most a day.";
  return { what: `"${timeout}" is no positive time`, next };
}

type Wanted = Omit<QueryOptions, "password"> & {
  readonly text: string;
  readonly password: string | null;
  readonly limitMs: number;
};

async function queryOnce(context: CommandContext, wanted: Wanted): Promise<number> {
  const { cluster, sql, output } = context;
  const found = findServer(await look(cluster), cluster.scope, wanted);
  if (found.kind === "none") {
    await output.err(complaint(found.what, found.next));
    return EXIT.failed;
  }
  const { host, port } = found.address;
  const { database, username, password, text } = wanted;
  const request: SqlRequest = { host, port, database, username, password, text };
  using deadline = within(wanted.limitMs);
  const answer = await sql.run(request, (isReplica) => fits(isReplica, wanted), deadline.signal);
  return await report(context, answer, { name: found.name, wanted });
}

/** The lock may have moved since the store was read: what the server itself says counts. */
function fits(isReplica: boolean, { member, role }: ServerChoice): boolean {
  if (member !== null || role === "any") return true;
  const wantsReplica = role === "replica" || role === "standby" || role === "standby-leader";
  return wantsReplica === isReplica;
}

async function report(
  { output, format }: CommandContext,
  answer: SqlAnswer | null,
  { name, wanted }: { readonly name: string; readonly wanted: Wanted },
): Promise<number> {
  if (answer === null) {
    const next = "The cluster may be changing its leader: repeat it in a moment.";
    const role = wanted.role ?? "leader";
    await output.err(complaint(`${name} does not run as ${role} now: nothing was run`, next));
    return EXIT.failed;
  }
  if (answer.kind !== "rows") {
    const [what, next] = troubleOf(answer, name);
    await output.err(complaint(what, next));
    return answer.kind === "lost" ? EXIT.unknown : EXIT.failed;
  }
  const { result } = answer;
  if (result.columns.length === 0 && format === "pretty") await output.out(`${result.tag}\n`);
  else if (format === "pretty" && result.rows.length > PRETTY_ROWS_MAX) {
    await output.err(`${result.rows.length} rows are too many for a table: shown as tsv\n`);
    await output.out(delimited(result, wanted.delimiter));
  } else if (format !== "tsv") {
    await output.out(await renderTable(rowsTable(result), format, output.width()));
  } else await output.out(delimited(result, wanted.delimiter));
  return EXIT.done;
}

/** The table's library takes no more than about 100,000 rows, and nobody reads them. */
const PRETTY_ROWS_MAX = 50_000;

function troubleOf(
  { kind, why }: Exclude<SqlAnswer, { readonly kind: "rows" }>,
  name: string,
): readonly [string, string?] {
  const reason = plainLine(why);
  if (kind === "refused") return [`${name}: ${reason}`];
  if (kind === "unreachable") {
    return [`Cannot reach the server of ${name}: ${reason}`, "Nothing was run."];
  }
  return [
    `Status unknown: ${name}: ${reason}`,
    "The statement may have run: look before you repeat.",
  ];
}

function rowsTable({ columns, rows }: SqlRows): Table {
  const keys = distinct(columns);
  return {
    title: null,
    columns: columns.map((head) => ({ head, align: "left" })),
    rows: rows.map((row) => row.map((cell) => cell ?? "")),
    data: rows.map((row) =>
      Object.fromEntries(keys.map((name, index) => [name, row[index] ?? null]))
    ),
    notes: [],
    isWide: true,
  };
}

/** Every name once: a column whose name stands before it gets `_2`, `_3` and so on, the first that is free. */
function distinct(columns: readonly string[]): readonly string[] {
  const taken = new Set(columns);
  return columns.map((name, index) => {
    if (columns.indexOf(name) === index) return name;
    let count = 2;
    while (taken.has(`${name}_${count}`)) count++;
    taken.add(`${name}_${count}`);
    return `${name}_${count}`;
  });
}

function delimited({ columns, rows }: SqlRows, delimiter: string): string {
  const line = (cells: readonly (string | null)[]): string =>
    `${cells.map((cell) => (cell ?? "").replace(/\p{Cc}+/gu, " ")).join(delimiter)}\n`;
  return [columns, ...rows].map(line).join("");
}
