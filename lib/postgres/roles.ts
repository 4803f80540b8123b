import { escapeIdentifier, escapeLiteral } from "pg";
import type { PostgresOptions, RoleLogin } from "./options.ts";
import type { Session } from "./session.ts";

/** Nothing of what follows may be recorded: its text holds passwords. Sent before them, since logging looks at whole messages. */
const SILENCE = [
  "SET LOCAL synchronous_commit = local",
  "SET LOCAL statement_timeout = 0",
  "SET LOCAL log_statement = none",
  "SET LOCAL log_min_duration_statement = -1",
  "SET LOCAL log_min_error_statement = panic",
  "SET LOCAL log_duration = off",
  "SET LOCAL standard_conforming_strings = on",
  "SET LOCAL pg_stat_statements.track = none",
  "SET LOCAL pg_stat_statements.track_utility = off",
  "SET LOCAL pgaudit.log = none",
] as const;

/** What pg_rewind reads on its source (PostgreSQL docs, pg_rewind, "Notes"). */
export const REWIND_FUNCTIONS = [
  "pg_catalog.pg_ls_dir(text, boolean, boolean)",
  "pg_catalog.pg_stat_file(text, boolean)",
  "pg_catalog.pg_read_binary_file(text)",
  "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)",
] as const;

/** Makes or updates the roles of the agent in one transaction. Throws the session's errors. */
export async function createRoles(
  session: Session,
  authentication: PostgresOptions["authentication"],
  signal: AbortSignal,
): Promise<void> {
  const { superuser, replication, rewind } = authentication;
  const roles = await knownRoles(session, signal);
  const statements = [
    roleStatement(roles, superuser, "SUPERUSER LOGIN"),
    ...(replication.username === superuser.username
      ? []
      : [roleStatement(roles, replication, "REPLICATION LOGIN")]),
    ...(rewind === null || rewind.username === superuser.username
      ? []
      : rewindStatements(roles, rewind)),
  ];
  await session.query("BEGIN", [], signal);
  for (const statement of [...SILENCE, ...statements, "COMMIT"]) {
    await session.query(statement, [], signal);
  }
}

async function knownRoles(session: Session, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const rows = await session.query("SELECT rolname FROM pg_catalog.pg_roles", [], signal);
  return new Set(rows.map((row) => String(row["rolname"])));
}

function rewindStatements(roles: ReadonlySet<string>, login: RoleLogin): readonly string[] {
  const name = escapeIdentifier(login.username);
  const grants = REWIND_FUNCTIONS.map((one) => `GRANT EXECUTE ON FUNCTION ${one} TO ${name}`);
  return [roleStatement(roles, login, "LOGIN"), ...grants];
}

function roleStatement(
  roles: ReadonlySet<string>,
  login: RoleLogin,
  rights: string,
): string {
  const verb = roles.has(login.username) ? "ALTER" : "CREATE";
  const password = login.password === null || login.password === ""
    ? ""
    : ` PASSWORD ${escapeLiteral(login.password)}`;
  return `${verb} ROLE ${escapeIdentifier(login.username)} WITH ${rights}${password}`;
}
