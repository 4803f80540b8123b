import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { Source } from "../core/action.ts";
import type { LeaderReport } from "../core/node_view.ts";
import type { TimelineSwitch } from "../core/timeline.ts";
import { parseTimelineHistory } from "../core/timeline.ts";
import { parseConnUrl } from "./conninfo.ts";
import type { RoleLogin } from "./options.ts";
import type { Row, SessionTarget } from "./session.ts";
import { Session, withSession } from "./session.ts";

const CONNECT_MS = 5000;

/** What IDENTIFY_SYSTEM says. */
export interface SystemIdentity {
  readonly systemId: string;
  readonly timeline: number;
}

/** The connection for replication commands to a member; null when its address cannot be read. */
export function replicationTarget(source: Source, login: RoleLogin): SessionTarget | null {
  const address = parseConnUrl(source.connUrl);
  if (address === null) return null;
  const { host, port } = address;
  return { host, port, database: "replication", login, mode: "physical" };
}

/** The leader's system, timeline and how that timeline came about. Failures are in the report. */
export async function inspectLeader(
  leader: Source,
  login: RoleLogin,
  signal: AbortSignal,
): Promise<LeaderReport> {
  const { name } = leader;
  const target = replicationTarget(leader, login);
  if (target === null) return { kind: "failed", name, why: `no address in "${leader.connUrl}"` };
  using deadline = within(CONNECT_MS, signal);
  try {
    return await withSession(target, async (session) => {
      const identity = await identifySystem(session, deadline.signal);
      const history = await readHistory(session, identity.timeline, deadline.signal);
      return { kind: "seen", name, ...identity, history };
    }, deadline.signal);
  } catch (error) {
    if (error instanceof PostgresUnreachable || error instanceof Refused) {
      return { kind: "failed", name, why: error.message };
    }
    throw error;
  }
}

/** IDENTIFY_SYSTEM on a replication connection. */
export async function identifySystem(
  session: Session,
  signal: AbortSignal,
): Promise<SystemIdentity> {
  const [row] = await session.query("IDENTIFY_SYSTEM", [], signal);
  return { systemId: String(row?.["systemid"]), timeline: Number(row?.["timeline"]) };
}

/** Timeline 1 has no history file; a missing one is 58P01 and counts as "not known", not as empty. */
async function readHistory(
  session: Session,
  timeline: number,
  signal: AbortSignal,
): Promise<readonly TimelineSwitch[]> {
  if (timeline <= 1) return [];
  const [row] = await session.query(`TIMELINE_HISTORY ${timeline}`, [], signal);
  return parseTimelineHistory(contentOf(row));
}

function contentOf(row: Row | undefined): string {
  const content = row?.["content"];
  return content instanceof Uint8Array ? new TextDecoder().decode(content) : String(content ?? "");
}
