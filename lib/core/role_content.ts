import type { JsonObject } from "../base/json.ts";
import { CLUSTER_WIDE_PARAMETERS, OWN_PARAMETERS } from "./parameter_names.ts";
import { linesOrNull, textMap } from "./settings_values.ts";
import type { RawSetting, Warn } from "./settings_values.ts";

/** What a running server is; a server that leads a standby cluster is none of them. */
export type ServerRole = "primary" | "replica";

/** The roles that have keys of their own. */
export const SERVER_ROLES: readonly ServerRole[] = ["primary", "replica"];

/** What the server's files hold in one role: parameters over those of both roles, lists in their place. */
export interface RoleContent {
  readonly parameters: Readonly<Record<string, string>>;
  /** null: as in both roles. */
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
}

/** `parameters_<role>`, `pg_hba_<role>` and `pg_ident_<role>` (spec 1.6.2). */
export type ContentByRole = Readonly<Record<ServerRole, RoleContent>>;

/** Reads the keys of each role from a `postgresql` section of the cluster's settings; null when there is none. */
export function readByRole(server: JsonObject, warn: Warn): ContentByRole | null {
  const of = (role: ServerRole): RoleContent => readRole(server, role, warn);
  return byRoleOrNull({ primary: of("primary"), replica: of("replica") });
}

/** null when no role has content of its own. */
export function byRoleOrNull(content: ContentByRole): ContentByRole | null {
  const isFilled = SERVER_ROLES.some((role) => {
    const { parameters, pgHba, pgIdent } = content[role];
    return Object.keys(parameters).length > 0 || pgHba !== null || pgIdent !== null;
  });
  return isFilled ? content : null;
}

function readRole(server: JsonObject, role: ServerRole, warn: Warn): RoleContent {
  const at = (key: string): RawSetting => {
    return { key: `postgresql.${key}_${role}`, value: server[`${key}_${role}`] };
  };
  const parameters = Object.entries(textMap(at("parameters"), warn)).filter(([name]) => {
    const isBoth = [...OWN_PARAMETERS, ...CLUSTER_WIDE_PARAMETERS].includes(name.toLowerCase());
    if (isBoth) {
      warn(`postgresql.parameters_${role}.${name} is ignored: it is the same in each role`);
    }
    return !isBoth;
  });
  return {
    parameters: Object.fromEntries(parameters),
    pgHba: linesOrNull(at("pg_hba"), warn),
    pgIdent: linesOrNull(at("pg_ident"), warn),
  };
}
