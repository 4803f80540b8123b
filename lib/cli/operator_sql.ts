import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { RoleLogin } from "../postgres/options.ts";
import { Session, type SessionTarget } from "../postgres/session.ts";
import type { SqlAccess, SqlAnswer, SqlRequest } from "./sql_access.ts";

/** Who connects when the command line does not say otherwise. */
export interface SqlDefaults {
  readonly superuser: RoleLogin;
  readonly database: string;
  /** `PGUSER` and `PGPASSWORD` count where the file says nothing. */
  readonly env: Readonly<Record<string, string>>;
}

/** Real servers, one connection for each run. */
export function operatorSql(defaults: SqlDefaults): SqlAccess {
  return {
    run: async (request, accepts, signal) => {
      const opened = await open(targetOf(request, defaults), signal);
      if (!(opened instanceof Session)) return opened;
      await using session = opened;
      return await runOn(session, request.text, accepts, signal);
    },
  };
}

function targetOf(request: SqlRequest, { superuser, database, env }: SqlDefaults): SessionTarget {
  const username = request.username ?? superuser.username;
  const isSuperuser = username === superuser.username;
  const own = isSuperuser ? superuser.password : null;
  const login: RoleLogin = {
    username,
    password: request.password ?? own ?? env["PGPASSWORD"] ?? null,
    options: superuser.options,
  };
  const { host, port } = request;
  return { host, port, database: request.database ?? database, login, mode: "operator" };
}

async function open(target: SessionTarget, signal: AbortSignal): Promise<Session | SqlAnswer> {
  try {
    return await Session.open(target, signal);
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", why: error.message };
    if (!(error instanceof PostgresUnreachable)) throw error;
    if (target.login.password !== null || !WANTS_PASSWORD.test(error.message)) {
      return { kind: "unreachable", why: error.message };
    }
    const why =
      `it wants a password of ${target.login.username}: add --password, or set PGPASSWORD`;
    return { kind: "refused", why };
  }
}

/** What pg says when the server asks for a password and none is given. */
const WANTS_PASSWORD = /password must be a string/;

async function runOn(
  session: Session,
  text: string,
  accepts: (isReplica: boolean) => boolean,
  signal: AbortSignal,
): Promise<SqlAnswer | null> {
  try {
    const [row] = await session.query("SELECT pg_catalog.pg_is_in_recovery() AS yes", [], signal);
    const isReplica = row?.["yes"] === true;
    if (!accepts(isReplica)) return null;
    const result = await session.queryTexts(text, signal);
    return { kind: "rows", isReplica, result };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", why: error.message };
    if (error instanceof PostgresUnreachable) return { kind: "lost", why: error.message };
    throw error;
  }
}
