import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look, lookOrNull } from "./look.ts";
import { apiUrlOf, askable } from "./member_url.ts";
import { order } from "./operation.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import type { RemoteAnswer } from "./remote.ts";
import { adviceOn, conclude, type MemberResult, resultOf, tell } from "./results.ts";
import { select, type Selection } from "./selection.ts";

/** Secrets may come from programs, and addresses be bound anew. */
const LIMIT_MS = 30_000;

/**
 * `agent reload`: lets agents read their configuration file again. Returns 0, 1 refused or failed, 2 when nobody can be
 * asked, 3 when an end is not known. Throws `DcsUnreachable` before anything was sent.
 */
export async function reload(context: CommandContext, selection: Selection): Promise<number> {
  const { cluster, output } = context;
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, selection);
  if (chosen.kind === "refused") {
    await output.err(complaint(chosen.what, chosen.next));
    return EXIT.failed;
  }
  const names = chosen.members.map(({ name }) => name).join(", ");
  const permission = await permit(context, `Reload the configuration of ${names}?`);
  if (permission !== EXIT.done) return permission;
  const results: MemberResult[] = [];
  for (const { name, apiUrl: published } of chosen.members) {
    const apiUrl = askable(published);
    const answer = apiUrl === null
      ? { kind: "unreachable", why: "it has published no address" } as const
      : await reloadOne(context, name, apiUrl);
    const result = resultOf(name, answer);
    results.push(result);
    await tell(context, result, adviceOn(answer));
  }
  return await conclude(context, results);
}

/** The member may be found elsewhere afterwards: its address, or TLS for it, is part of what it reloads. */
function reloadOne(context: CommandContext, name: string, apiUrl: string): Promise<RemoteAnswer> {
  const addressNow = async (): Promise<string | null> => {
    const view = await lookOrNull(context.cluster);
    return view === null ? null : apiUrlOf(view, name);
  };
  const wish = { member: name, apiUrl, path: "reload", body: {}, limitMs: LIMIT_MS } as const;
  return order(context, { ...wish, addressNow });
}
