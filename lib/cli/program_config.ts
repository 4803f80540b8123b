import { Option } from "commander";
import type { Faces } from "./faces.ts";
import { commandOf, formatOf, whereOf, type Workshop } from "./shared_options.ts";
import type { Format } from "./table.ts";
import type { ValidateWish } from "./validate.ts";

/** What a validation may be told on the command line. */
export interface ValidateGiven {
  readonly print?: boolean;
  readonly ignoreListenPort?: boolean;
}

interface Given extends ValidateGiven {
  readonly config?: string;
  readonly format: Format;
}

/** The wish behind the options. */
export function validateWish(format: Format, given: ValidateGiven): ValidateWish {
  return {
    format,
    print: given.print === true,
    ignoreListenPort: given.ignoreListenPort === true,
  };
}

/** A configuration without a file: a whole document, or at least the name of the cluster. */
export function isInEnvironment({ env }: Faces): boolean {
  return ["PATRONI_CONFIGURATION", "PATRONI_SCOPE"].some((name) => (env[name] ?? "").trim() !== "");
}

/** Adds the commands about configuration files. */
export function addConfigs({ program, faces, end }: Workshop): void {
  commandOf(program, "validate", "check a configuration on this host, and start nothing")
    .argument("[patroni.yml]", "file or folder (default: as --config)")
    .option("-c, --config <file>", "configuration file or folder (default: AGENT_CONFIG)")
    .addOption(
      new Option("-f, --format <form>", "form of the result: pretty, json, yaml or tsv")
        .argParser(formatOf).default("pretty"),
    )
    .option("-i, --ignore-listen-port", "a port in use is no fault")
    .option("-p, --print", "print what is in force, without secrets")
    .action(async (path: string | undefined, given: Given) => {
      const { configPath } = whereOf(program, faces, given);
      end(await faces.validate(path ?? configPath, validateWish(given.format, given)));
    });
  commandOf(program, "generate-config", "write a configuration file to begin with")
    .argument("[file]", "where to (default: stdout); a file that exists is left alone")
    .addOption(new Option("--sample", "from this host alone").conflicts("dsn"))
    .option("--dsn <dsn>", "superuser's connection to the running server (default: PG* variables)")
    .action(async (file: string | undefined, given: { sample?: boolean; dsn?: string }) => {
      const dsn = given.dsn ?? null;
      end(await faces.generateConfig({ file: file ?? null, sample: given.sample === true, dsn }));
    });
}
