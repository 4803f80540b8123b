import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { memberTable } from "./list.ts";
import { lookAny } from "./look.ts";
import { repeat } from "./repeat.ts";
import { renderTable, type Table } from "./table.ts";

/** What `agent topology` is told. */
export interface TopologyOptions {
  /** Seconds between two looks; null: one look. */
  readonly watchS: number | null;
}

/** `agent topology`: the members as a tree, each below the one it copies from. Throws `DcsUnreachable`. */
export async function topology(
  context: CommandContext,
  { watchS }: TopologyOptions,
): Promise<number> {
  const { cluster, output, format } = context;
  return await repeat(context, watchS, async () => {
    const view = await lookAny(cluster);
    await output.out(await renderTable(topologyTable(view, cluster.scope), format, output.width()));
    return EXIT.done;
  });
}

/** The rows of `agent list` in the order of the tree; data carries `depth` and `source` of each member. */
function topologyTable(view: ClusterView, scope: string): Table {
  const table = memberTable(view, scope);
  const data = Array.isArray(table.data) ? table.data : [];
  const order = members(view).map(({ name }) => name);
  const places = treeOf(view);
  return {
    ...table,
    rows: places.map(({ name, depth }) => {
      const [, ...rest] = table.rows[order.indexOf(name)] ?? [];
      return [`${"  ".repeat(Math.max(0, depth - 1))}${depth > 0 ? "+ " : ""}${name}`, ...rest];
    }),
    data: places.map(({ name, depth, source }) => ({
      ...data[order.indexOf(name)],
      depth,
      source,
    })),
  };
}

interface Place {
  readonly name: string;
  readonly depth: number;
  readonly source: string | null;
}

/** As in the table that the places are looked up in: by name. */
function members({ members }: ClusterView): readonly MemberState[] {
  return members.toSorted((one, other) => one.name < other.name ? -1 : 1);
}

/** `replicatefrom` counts when that member is there and does not copy from this one in a ring. */
function treeOf(view: ClusterView): readonly Place[] {
  const all = members(view);
  const leader = view.lock?.holder ?? null;
  const names = all.map(({ name }) => name);
  const wished = new Map(all.map(({ name, tags }) => [name, tags.replicatefrom]));
  const root = leader !== null && names.includes(leader) ? leader : null;
  const sourceOf = (name: string): string | null => {
    if (name === root) return null;
    const from = wished.get(name) ?? null;
    const isUsable = from !== null && names.includes(from) && !isInRing(name, wished, root);
    return isUsable ? from : root;
  };
  const below = (source: string | null, depth: number): readonly Place[] =>
    names.filter((name) => sourceOf(name) === source)
      .flatMap((name) => [{ name, depth, source }, ...below(name, depth + 1)]);
  return below(null, 0);
}

function isInRing(
  start: string,
  wished: ReadonlyMap<string, string | null>,
  root: string | null,
): boolean {
  const seen = new Set<string>();
  let name: string | null = start;
  while (name !== null && name !== root && !seen.has(name)) {
    seen.add(name);
    name = wished.get(name) ?? null;
    if (name === start) return true;
  }
  return false;
}
