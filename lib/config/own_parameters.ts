import { CLUSTER_WIDE_PARAMETERS, OWN_PARAMETERS } from "../core/parameter_names.ts";

/** Recovery settings that the agent decides. */
const OWN_RECOVERY = /^(recovery_target.*|primary_conninfo|primary_slot_name)$/;

/** Values that remain, and a remark for each name that does not. */
export interface Kept {
  readonly values: Readonly<Record<string, string>>;
  readonly dropped: readonly { readonly name: string; readonly why: string }[];
}

/** `postgresql.parameters` of the file without what it cannot set; names in lower case, as PostgreSQL compares them. */
export function localParameters(given: Readonly<Record<string, string>>): Kept {
  return keep(given, (name) => {
    if (OWN_PARAMETERS.includes(name)) return "ignored: the agent sets it itself";
    if (!CLUSTER_WIDE_PARAMETERS.includes(name)) return null;
    return "ignored: it counts only in the cluster's settings (bootstrap.dcs, /config)";
  });
}

/** `postgresql.recovery_conf` without what the agent decides. */
export function localRecovery(given: Readonly<Record<string, string>>): Kept {
  return keep(given, (name) => OWN_RECOVERY.test(name) ? "ignored: the agent decides it" : null);
}

function keep(
  given: Readonly<Record<string, string>>,
  refuse: (name: string) => string | null,
): Kept {
  const values: Record<string, string> = {};
  const dropped: { name: string; why: string }[] = [];
  for (const [name, value] of Object.entries(given)) {
    const why = refuse(name.toLowerCase());
    if (why === null) values[name.toLowerCase()] = value;
    else dropped.push({ name, why });
  }
  return { values, dropped };
}
