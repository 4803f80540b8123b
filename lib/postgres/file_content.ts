import type { ServerRole } from "../core/role_content.ts";
import type { Settings } from "../core/settings.ts";
import type { PostgresOptions } from "./options.ts";
import { lowerCaseNames } from "./parameters.ts";

/** What one order puts into the server's files besides the cluster's parameters. */
export interface FileContent {
  /** Over the cluster's parameters: those of the local file, then those of the role, cluster first. */
  readonly parameters: Readonly<Record<string, string>>;
  /** null: the file stays as it is. */
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
  /** A list of some role is given, so that the files of the roles may differ. */
  readonly isOfRole: boolean;
}

/** The content for the role that the server has or is started in; the local file wins over the cluster's settings. */
export function contentOf(
  role: ServerRole,
  settings: Settings,
  options: Pick<PostgresOptions, "parameters" | "pgHba" | "pgIdent" | "byRole">,
): FileContent {
  const [local, cluster] = [options.byRole?.[role], settings.byRole?.[role]];
  return {
    parameters: {
      ...lowerCaseNames(options.parameters),
      ...lowerCaseNames(cluster?.parameters ?? {}),
      ...lowerCaseNames(local?.parameters ?? {}),
    },
    pgHba: local?.pgHba ?? cluster?.pgHba ?? options.pgHba ?? settings.pgHba,
    pgIdent: local?.pgIdent ?? cluster?.pgIdent ?? options.pgIdent ?? settings.pgIdent,
    isOfRole: (options.byRole ?? settings.byRole ?? null) !== null,
  };
}
