import type { PostgresOptions } from "./options.ts";

/** The server's configuration files; all paths are absolute. */
export interface ConfPaths {
  readonly folder: string;
  readonly conf: string;
  /** What initdb or a copy made of `conf`, included by ours. */
  readonly base: string;
  readonly hba: string;
  readonly ident: string;
  /** Words that name the files to the postmaster; none when they are where it looks by itself. */
  readonly words: readonly string[];
}

type Places = Pick<PostgresOptions, "dataDir" | "configDir" | "configBaseName">;

/** Where the files are: in `config_dir` under `config_base_name`, else in the data directory. */
export function confPaths({ dataDir, configDir, configBaseName }: Places): ConfPaths {
  const folder = configDir ?? dataDir;
  const name = configBaseName ?? "postgresql";
  const conf = `${folder}/${name}.conf`;
  const hba = `${folder}/pg_hba.conf`;
  const ident = `${folder}/pg_ident.conf`;
  const isUsual = folder === dataDir && name === "postgresql";
  const words = [`--config_file=${conf}`, `--hba_file=${hba}`, `--ident_file=${ident}`];
  return {
    folder,
    conf,
    base: `${folder}/${name}.base.conf`,
    hba,
    ident,
    words: isUsual ? [] : words,
  };
}
