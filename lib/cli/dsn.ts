import type { ClusterView } from "../core/cluster_view.ts";
import { parseConnUrl, type ServerAddress } from "../postgres/conninfo.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { complaint } from "./output.ts";
import { type Role, select } from "./selection.ts";
import { renderTable } from "./table.ts";

/** A member by name, or any of a role; both null: the leader. */
export interface ServerChoice {
  readonly member: string | null;
  readonly role: Role | null;
}

/** A member's server, or why there is none to connect to. */
export type FoundServer =
  | { readonly kind: "found"; readonly name: string; readonly address: ServerAddress }
  | { readonly kind: "none"; readonly what: string; readonly next: string };

/** `agent dsn`: host and port of a member's server, as libpq wants them. Throws `DcsUnreachable`. */
export async function dsn(context: CommandContext, choice: ServerChoice): Promise<number> {
  const { cluster, output, format } = context;
  const found = findServer(await look(cluster), cluster.scope, choice);
  if (found.kind === "none") {
    await output.err(complaint(found.what, found.next));
    return EXIT.failed;
  }
  const { name, address: { host, port } } = found;
  if (format === "pretty") {
    await output.out(`host=${host} port=${port}\n`);
    return EXIT.done;
  }
  const table = {
    title: null,
    columns: ["Member", "Host", "Port"].map((head) => ({ head, align: "left" } as const)),
    rows: [[name, host, String(port)]],
    data: { member: name, host, port },
    notes: [],
  };
  await output.out(await renderTable(table, format));
  return EXIT.done;
}

/** The server of a member; of a role, the first by name that has published an address. */
export function findServer(view: ClusterView, scope: string, choice: ServerChoice): FoundServer {
  const { member, role } = choice;
  const names = member === null ? [] : [member];
  const usual = member === null ? "leader" : null;
  const chosen = select(view, scope, { names, role: role ?? usual, onlyOne: false });
  if (chosen.kind === "refused") return { ...chosen, kind: "none" };
  for (const { name, connUrl } of chosen.members) {
    const address = connUrl === null ? null : parseConnUrl(connUrl);
    if (address !== null) return { kind: "found", name, address };
  }
  const [first] = chosen.members;
  const what = `${first?.name ?? "the member"} has published no address of its server`;
  return { kind: "none", what, next: "agent list shows whether its agent runs." };
}
