const HEADER = "# Written by agent; edits are lost. Change the cluster configuration instead.";
const RECOVERY_MARK = "# recovery";

const RECOVERY_SETTING =
  /^\s*(primary_conninfo|primary_slot_name|recovery_\w+|restore_command|archive_cleanup_command|promote_trigger_file|trigger_file|standby_mode)\b/i;

/** Parts of postgresql.conf. */
export interface ConfParts {
  /** The file that ours is laid over, by its name in the same folder or its path; absent: the usual one. */
  readonly base?: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** null: this server is no standby. */
  readonly recovery: Readonly<Record<string, string>> | null;
  /** What was not taken over and why, as comments. */
  readonly remarks: readonly string[];
}

/** The text of postgresql.conf: the original file included, our parameters over it, recovery settings last. */
export function renderPostgresqlConf(parts: ConfParts): string {
  const lines = [HEADER, `include ${quoteSetting(parts.base ?? "postgresql.base.conf")}`, ""];
  for (const remark of parts.remarks) lines.push(`# ${remark.replace(/\s+/g, " ")}`);
  lines.push(...renderSettings(parts.parameters));
  if (parts.recovery !== null) lines.push("", RECOVERY_MARK, ...renderSettings(parts.recovery));
  return lines.join("\n") + "\n";
}

/** The value of a setting as the last line of its name gives it, also in a file of Patroni; null when there is none. */
export function readSetting(text: string, wanted: string): string | null {
  let found: string | null = null;
  for (const line of text.split("\n")) {
    const [, name, value] = /^\s*(\w+)\s*=\s*'(.*)'\s*$/.exec(line) ?? [];
    if (name === wanted && value !== undefined) found = unquote(value);
  }
  return found;
}

/** True for a file that `renderPostgresqlConf` made. */
export function isOurConf(text: string): boolean {
  return text.startsWith(HEADER);
}

/** postgresql.auto.conf without recovery settings: ALTER SYSTEM must not redirect a standby. */
export function withoutRecoverySettings(text: string): string {
  return text.split("\n").filter((line) => !RECOVERY_SETTING.test(line)).join("\n");
}

/** The text of pg_hba.conf or pg_ident.conf from its lines. */
export function renderLines(lines: readonly string[]): string {
  return [HEADER, ...lines].join("\n") + "\n";
}

/** A value for postgresql.conf: quotes doubled, backslashes and line ends escaped (guc-file.l). */
export function quoteSetting(value: string): string {
  const text = value.replaceAll("\\", "\\\\").replaceAll("'", "''");
  return `'${text.replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`;
}

function renderSettings(settings: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(settings).sort();
  return names.map((name) => `${name} = ${quoteSetting(settings[name] ?? "")}`);
}

function unquote(text: string): string {
  return text.replace(/''|\\([\s\S])/g, (whole, escaped) => {
    if (whole === "''") return "'";
    if (escaped === "n") return "\n";
    return escaped === "r" ? "\r" : escaped;
  });
}
