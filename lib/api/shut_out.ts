import type { BoardState } from "../runtime/board.ts";
import type { AccessRules } from "./access.ts";
import type { Allowlist } from "./allowlist.ts";
import { hostOf } from "./allowlist.ts";
import type { ApiContext } from "./context.ts";

/**
 * Warns of members that this one's allowlist keeps from `POST /failsafe`, once for each change of members or list: in an
 * outage of the store, when they need its consent, it would be too late. Ends when `signal` aborts.
 */
export async function watchShutOut(
  { board, log, name, access }: Pick<ApiContext, "board" | "log" | "name" | "access">,
  allowlist: Allowlist,
  signal: AbortSignal,
): Promise<void> {
  let judged = "";
  while (true) {
    const isNew = (state: BoardState): boolean => questionOf(state, access(), name) !== judged;
    const state = await board.waitFor(isNew, signal);
    if (state === null) return;
    const { allowlist: hosts } = access();
    judged = questionOf(state, access(), name);
    const members = judged === ""
      ? []
      : await shutOut(state, name, (host) => allowlist.hasHost(host, hosts));
    if (members.length === 0) continue;
    log.warn(
      `restapi.allowlist keeps ${members.join(", ")} from POST /failsafe: as the leader it would ` +
        "stop in an outage of the store. Add the addresses (allowlist_include_members does not count)",
    );
  }
}

/** Everything that the judgement depends on; empty: there is nothing to judge. */
function questionOf({ cluster }: BoardState, { allowlist }: AccessRules, name: string): string {
  if (allowlist.length === 0 || cluster?.settings.failsafeMode !== true) return "";
  const others = cluster.members.filter((member) => member.name !== name);
  return JSON.stringify([allowlist, others.map((one) => [one.name, one.apiUrl]).sort()]);
}

async function shutOut(
  { cluster }: BoardState,
  name: string,
  isAllowed: (host: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const member of cluster?.members ?? []) {
    const host = member.apiUrl === null ? null : hostOf(member.apiUrl);
    if (host === null || member.name === name) continue;
    if (!await isAllowed(host)) found.push(`${member.name} (${host})`);
  }
  return found;
}
