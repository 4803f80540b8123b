import { within } from "../base/deadline.ts";
import { isJsonObject } from "../base/json.ts";
import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { askable, endpoint } from "./member_url.ts";
import type { Remote } from "./remote.ts";

const ASK_MS = 3000;

/**
 * Members that may not learn that maintenance mode has ended, one sentence each: they cannot be asked, do not see the
 * mode themselves, or have vanished from the store. Nothing fences a primary among them.
 */
export async function unseenMembers(
  remote: Pick<Remote, "get">,
  { members, status }: ClusterView,
): Promise<readonly string[]> {
  const asked = await Promise.all(members.map((member) => doubtOf(remote, member)));
  const present = members.map(({ name }) => slotNameOf(name));
  const gone = status.retainSlots.filter((slot) => !present.includes(slot));
  return [
    ...asked.filter((doubt) => doubt !== null),
    ...gone.map((slot) => `the member of slot ${slot} cannot be seen in the store`),
  ];
}

async function doubtOf(
  remote: Pick<Remote, "get">,
  { name, apiUrl, pause }: MemberState,
): Promise<string | null> {
  const asked = askable(apiUrl);
  const isSeen = asked !== null && await answers(remote, asked);
  if (!isSeen) return `${name} cannot be asked: whether its server runs as a primary is not known`;
  return pause ? null : `${name} has not confirmed maintenance mode`;
}

/** A status document counts; an error page of something else does not. */
async function answers(remote: Pick<Remote, "get">, apiUrl: string): Promise<boolean> {
  using deadline = within(ASK_MS);
  const answer = await remote.get(endpoint(apiUrl, "patroni"), deadline.signal);
  if (answer.kind !== "answered") return false;
  try {
    const document: unknown = JSON.parse(answer.text);
    return isJsonObject(document) && typeof document["role"] === "string";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
