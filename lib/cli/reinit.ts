import type { MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { memberTable } from "./list.ts";
import { look } from "./look.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import { copyAnew, type ReinitOptions } from "./reinit_copy.ts";
import { adviceOn, conclude, type MemberResult, resultOf, tell } from "./results.ts";
import { select } from "./selection.ts";
import { renderTable } from "./table.ts";

/**
 * `agent reinit`: throws the data of replicas away and copies them anew, one request each. Without `--wait` a copy goes
 * on behind; with it the progress is told. Returns 0, 1 refused or failed, 2 wrong usage, 3 when an end is not known.
 */
export async function reinit(context: CommandContext, options: ReinitOptions): Promise<number> {
  const { cluster, output } = context;
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, { names: options.names, role: null, onlyOne: false });
  const isNamed = options.names.some((name) =>
    name !== cluster.scope || isMember(view.members, name)
  );
  const leader = view.lock?.holder ?? null;
  const fault = !isNamed
    ? { what: "Name the members that shall be copied anew", next: NAME_THEM }
    : chosen.kind === "refused"
    ? chosen
    : leader === null
    ? { what: "Cannot copy: the cluster has no leader", next: LIST }
    : isMember(chosen.members, leader)
    ? { what: `Cannot copy ${leader} anew: it is the leader`, next: SWITCH }
    : null;
  if (fault !== null || chosen.kind === "refused") {
    await output.err(complaint(fault?.what ?? "", fault?.next));
    return isNamed ? EXIT.failed : EXIT.usage;
  }
  const names = chosen.members.map(({ name }) => name).join(", ");
  const shown = (): Promise<string> =>
    renderTable(memberTable(view, cluster.scope), "pretty", output.width());
  const permission = await permit(context, `Remove the data of ${names} and copy it anew?`, shown);
  if (permission !== EXIT.done) return permission;
  const results: MemberResult[] = [];
  for (const member of chosen.members) {
    const answer = await copyAnew(context, member, options);
    const result = resultOf(member.name, answer);
    results.push(result);
    await tell(context, result, adviceOn(answer));
  }
  return await conclude(context, results);
}

const NAME_THEM = "agent reinit <member>…; agent list shows them.";
const LIST = "agent list shows the members and the leader.";
const SWITCH = "Let another member lead first: agent switchover.";
function isMember(members: readonly MemberState[], name: string): boolean {
  return members.some((member) => member.name === name);
}
