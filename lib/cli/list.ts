import { toList, toObject, toText } from "../base/decode.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { clusterDocument } from "../core/cluster_document.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { lookAny } from "./look.ts";
import { repeat } from "./repeat.ts";
import { renderTable, type Table } from "./table.ts";

/** What `agent list` is told. */
export interface ListOptions {
  /** Names of clusters; none: that of the configuration file. */
  readonly clusters: readonly string[];
  /** Also received and replayed positions, restarts and addresses. */
  readonly extended: boolean;
  /** A line with the time above. */
  readonly timestamp: boolean;
  /** Seconds between two looks; null: one look. */
  readonly watchS: number | null;
}

const PLAIN: ListOptions = { clusters: [], extended: false, timestamp: false, watchS: null };

/** `agent list`: the members of clusters as the store shows them. Throws `DcsUnreachable`. */
export async function list(context: CommandContext, options = PLAIN): Promise<number> {
  return await repeat(context, options.watchS, () => listOnce(context, options));
}

async function listOnce(context: CommandContext, options: ListOptions): Promise<number> {
  const { cluster, output, format, clock } = context;
  const { clusters, extended, timestamp } = options;
  if (timestamp && format === "pretty") await output.out(`${timeText(clock.wallMs())}\n`);
  const scopes = clusters.length === 0 ? [cluster.scope] : [...new Set(clusters)];
  const tables: Table[] = [];
  for (const scope of scopes) {
    const access = scope === cluster.scope ? cluster : context.clusterNamed(scope);
    const view = await lookAny(access);
    const table = extended ? extendedTable(view, scope) : memberTable(view, scope);
    tables.push(output.width() === null ? table : { ...table, isWide: false });
  }
  await output.out(await renderAll(tables, scopes, { format, output }));
  return EXIT.done;
}

/** One after the other; JSON and YAML of several clusters are one mapping by name. */
async function renderAll(
  tables: readonly Table[],
  scopes: readonly string[],
  { format, output }: Pick<CommandContext, "format" | "output">,
): Promise<string> {
  const [first] = tables;
  if (first !== undefined && tables.length > 1 && (format === "json" || format === "yaml")) {
    const data = Object.fromEntries(tables.map((table, index) => [scopes[index], table.data]));
    return await renderTable({ ...first, data }, format);
  }
  const texts = await Promise.all(
    tables.map((table) => renderTable(table, format, output.width())),
  );
  return texts.join("");
}

function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** The members as a table; JSON and YAML carry the objects of `GET /cluster`. */
export function memberTable(view: ClusterView, scope: string): Table {
  const { document, members } = documentOf(view, scope);
  const withPort = needsPort(members);
  return {
    title: `Cluster: ${scope} (${identity(view.systemId)})`,
    columns: COLUMNS,
    rows: members.map((member) => row(member, withPort)),
    data: members,
    notes: notes(document, members),
  };
}

/** The same with more columns, shown also when they are empty, unless a terminal has to have room for them. */
function extendedTable(view: ClusterView, scope: string): Table {
  const table = memberTable(view, scope);
  const { members } = documentOf(view, scope);
  return {
    ...table,
    columns: [...table.columns, ...MORE_COLUMNS],
    rows: table.rows.map((cells, index) => [...cells, ...moreCells(members[index] ?? {})]),
    isWide: true,
  };
}

function documentOf(
  view: ClusterView,
  scope: string,
): { readonly document: JsonObject; readonly members: readonly JsonObject[] } {
  const document = clusterDocument(view, scope);
  const members = toList("members", document["members"]);
  return { document, members: members.map((member) => toObject("members", member)) };
}

const MORE_COLUMNS = [
  { head: "Receive LSN", align: "right" },
  { head: "Receive lag", align: "right" },
  { head: "Replay LSN", align: "right" },
  { head: "Replay lag", align: "right" },
  { head: "Pending restart reason", align: "left" },
  { head: "Scheduled restart", align: "left" },
  { head: "API", align: "left" },
] as const;

function moreCells(member: JsonObject): readonly string[] {
  return [
    plain(member["receive_lsn"]),
    megabytes(member["receive_lag"]),
    plain(member["replay_lsn"]),
    megabytes(member["replay_lag"]),
    reasons(member["pending_restart_reason"]),
    restartAt(member),
    plain(member["api_url"]),
  ];
}

/** `max_connections: 100->200`, one after the other. */
function reasons(value: Json | undefined): string {
  if (!isJsonObject(value)) return "";
  return Object.entries(value).map(([name, change]) => {
    const told = isJsonObject(change)
      ? `${plain(change["old_value"])}->${plain(change["new_value"])}`
      : plain(change);
    return `${name}: ${told}`;
  }).join(", ");
}

function restartAt(member: JsonObject): string {
  const scheduled = member["scheduled_restart"];
  if (!isJsonObject(scheduled)) return "";
  const { schedule, postmaster_start_time: _, ...conditions } = scheduled; // by it members know that it is done
  const told = Object.entries(conditions).map(([name, value]) => ` ${name}: ${plain(value)}`);
  return `${plain(schedule)}${told.join(",")}`;
}

const COLUMNS = [
  { head: "Member", align: "left" },
  { head: "Host", align: "left" },
  { head: "Role", align: "left" },
  { head: "State", align: "left" },
  { head: "TL", align: "right" },
  { head: "Lag in MB", align: "right" },
  { head: "Pending restart", align: "left" },
  { head: "Tags", align: "left" },
] as const;

function identity(systemId: string | null): string {
  if (systemId === null) return "uninitialized";
  return systemId === "" ? "initializing" : systemId;
}

function row(member: JsonObject, withPort: boolean): readonly string[] {
  return [
    plain(member["name"]),
    host(member, withPort),
    titleCase(toText("role", member["role"])),
    plain(member["state"]),
    plain(member["timeline"]),
    megabytes(member["lag"]),
    member["pending_restart"] === true ? "*" : "",
    tags(member["tags"]),
  ];
}

/** Ports are shown when they tell something: another than 5432, or two members on one host. */
function needsPort(members: readonly JsonObject[]): boolean {
  const hosts = members.map((member) => plain(member["host"]));
  const isUsual = members.every((member) => [5432, undefined].includes(portOf(member)));
  return !isUsual || new Set(hosts).size < hosts.length;
}

function portOf(member: JsonObject): number | undefined {
  return typeof member["port"] === "number" ? member["port"] : undefined;
}

function host(member: JsonObject, withPort: boolean): string {
  const name = plain(member["host"]);
  const port = portOf(member);
  if (!withPort || port === undefined) return name;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

function titleCase(role: string): string {
  return role.split("_").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
}

function megabytes(lagBytes: Json | undefined): string {
  if (typeof lagBytes === "number") return String(Math.round(lagBytes / 1024 ** 2));
  return plain(lagBytes);
}

function tags(value: Json | undefined): string {
  if (!isJsonObject(value)) return "";
  return Object.entries(value).map(([name, tag]) => `${name}: ${plain(tag)}`).join(", ");
}

function plain(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function notes(document: JsonObject, members: readonly JsonObject[]): readonly string[] {
  const restarts = members.filter((member) => restartAt(member) !== "")
    .map((member) => `Restart of ${plain(member["name"])} scheduled at ${restartAt(member)}`);
  const lines = [...(document["pause"] === true ? ["Maintenance mode: on"] : []), ...restarts];
  const scheduled = document["scheduled_switchover"];
  if (!isJsonObject(scheduled)) return lines;
  const from = scheduled["from"] === undefined ? "" : ` from ${plain(scheduled["from"])}`;
  const to = scheduled["to"] === undefined ? "" : ` to ${plain(scheduled["to"])}`;
  return [...lines, `Switchover scheduled at ${plain(scheduled["at"])}${from}${to}`];
}
