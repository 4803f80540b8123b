import * as v from "valibot";
import { within } from "../base/deadline.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { askable, endpoint } from "./member_url.ts";
import { complaint, plainLine } from "./output.ts";
import { select } from "./selection.ts";
import { renderTable } from "./table.ts";

const ASK_MS = 3000;

/**
 * `agent version <members…>`: what agents and servers of members run. Returns 1 when a member cannot be asked. Throws
 * `DcsUnreachable`.
 */
export async function memberVersions(
  context: CommandContext,
  names: readonly string[],
): Promise<number> {
  const { cluster, output, format } = context;
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, { names, role: null, onlyOne: false });
  if (chosen.kind === "refused") {
    await output.err(complaint(chosen.what, chosen.next));
    return EXIT.failed;
  }
  const found = await Promise.all(chosen.members.map((member) => ask(context, member)));
  const sorted = found.toSorted((one, other) => one.member < other.member ? -1 : 1);
  const table = {
    title: null,
    columns: ["Member", "Agent", "PostgreSQL"].map((head) => ({ head, align: "left" } as const)),
    rows: sorted.map(({ member, agent, server }) => [member, agent ?? "", server ?? ""]),
    data: sorted.map(({ member, agent, server }) => ({ member, agent, server })),
    notes: [],
    isWide: true,
  };
  await output.out(await renderTable(table, format, output.width()));
  const silent = sorted.filter(({ why }) => why !== null);
  for (const { member, why } of silent) await output.err(complaint(`${member}: ${why}`));
  return silent.length === 0 ? EXIT.done : EXIT.failed;
}

interface Versions {
  readonly member: string;
  /** Of the agent; "Patroni 3.0.2" of a member that runs that. */
  readonly agent: string | null;
  /** e.g. "15.8"; null: the server does not answer. */
  readonly server: string | null;
  readonly why: string | null;
}

async function ask(
  { remote }: CommandContext,
  { name: member, apiUrl: published }: MemberState,
): Promise<Versions> {
  const nothing = { member, agent: null, server: null };
  const apiUrl = askable(published);
  if (apiUrl === null) return { ...nothing, why: "has published no address" };
  using deadline = within(ASK_MS);
  const answer = await remote.get(endpoint(apiUrl, "patroni"), deadline.signal);
  if (answer.kind !== "answered") {
    return { ...nothing, why: `cannot be reached: ${plainLine(answer.why)}` };
  }
  const parsed = v.safeParse(statusSchema, answer.text);
  if (!parsed.success) return { ...nothing, why: "answers with something that is no status" };
  const { agent, patroni, server_version } = parsed.output;
  const program = agent === null ? `Patroni ${patroni.version}` : agent.version;
  return { member, agent: program, server: numberText(server_version), why: null };
}

const statusSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    patroni: v.object({ version: v.string() }),
    agent: v.nullish(v.object({ version: v.string() }), null),
    server_version: v.nullish(v.pipe(v.number(), v.integer()), null),
  }),
);

/** 150008 is 15.8, 90624 is 9.6.24. */
function numberText(version: number | null): string | null {
  if (version === null) return null;
  const major = Math.floor(version / 10_000);
  const rest = version % 10_000;
  return major >= 10 ? `${major}.${rest}` : `${major}.${Math.floor(rest / 100)}.${rest % 100}`;
}
