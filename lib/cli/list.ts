import { toList, toObject, toText } from "../base/decode.ts";
import { within } from "../base/deadline.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { clusterDocument } from "../core/cluster_document.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { renderTable, type Table } from "./table.ts";

/** `agent list`: the members of the cluster as the store shows them. Throws `DcsUnreachable`. */
export async function list({ cluster, output, format }: CommandContext): Promise<number> {
  using deadline = within(READ_MS);
  const view = await cluster.read(deadline.signal);
  await output.out(await renderTable(memberTable(view, cluster.scope), format));
  return EXIT.done;
}

/** Milliseconds that one look into the store may take. */
export const READ_MS = 10_000;

/** The members as a table; JSON and YAML carry the objects of `GET /cluster`. */
export function memberTable(view: ClusterView, scope: string): Table {
  const document = clusterDocument(view, scope);
  const members = toList("members", document["members"]).map((member) =>
    toObject("members", member)
  );
  const withPort = needsPort(members);
  return {
    title: `Cluster: ${scope} (${identity(view.systemId)})`,
    columns: COLUMNS,
    rows: members.map((member) => row(member, withPort)),
    data: members,
    notes: notes(document),
  };
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

function notes(document: JsonObject): readonly string[] {
  const lines = document["pause"] === true ? ["Maintenance mode: on"] : [];
  const scheduled = document["scheduled_switchover"];
  if (!isJsonObject(scheduled)) return lines;
  const from = scheduled["from"] === undefined ? "" : ` from ${plain(scheduled["from"])}`;
  const to = scheduled["to"] === undefined ? "" : ` to ${plain(scheduled["to"])}`;
  return [...lines, `Switchover scheduled at ${plain(scheduled["at"])}${from}${to}`];
}
