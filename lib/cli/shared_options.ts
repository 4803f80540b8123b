import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "./command.ts";
import type { Faces } from "./faces.ts";
import { type Role, ROLES } from "./selection.ts";
import { type Format, FORMATS } from "./table.ts";
import type { Where } from "./where.ts";

/** Ends the program with an exit code. */
export type End = (code: number) => void;

/** What may stand before the command: `agent -c file list`. */
export interface Before {
  readonly config?: string;
  readonly configFile?: string;
  readonly dcsUrl?: string;
  readonly dcs?: string;
  readonly insecure?: boolean;
}

/** What every command of a cluster takes. */
export interface Common extends Before {
  readonly cluster?: string;
  readonly format: Format;
  readonly force?: boolean;
}

/** Where the commands are added, and what they start. */
export interface Workshop {
  readonly program: Command;
  readonly faces: Faces;
  readonly end: End;
}

/** The options that name a cluster; `short` false: `-c` and `-d` mean something else in this command. */
export function addPlace(command: Command, short = true): Command {
  const config = short ? "-c, --config <file>" : "--config <file>";
  const url = short ? "-d, --dcs-url <url>" : "--dcs-url <url>";
  return command
    .option(config, "configuration file of any member (default: AGENT_CONFIG)")
    .addOption(new Option("--config-file <file>").hideHelp())
    .option(url, "the store, as etcd3://host:port/namespace")
    .addOption(new Option("--dcs <url>").hideHelp())
    .option("-k, --insecure", "take any certificate of members");
}

/** A command whose errors name its own help. */
export function commandOf(program: Command, name: string, description: string): Command {
  return program.command(name).description(description)
    .showHelpAfterError(`Run agent ${name} --help to see what it takes.`);
}

/** A command of a cluster with the options that all of them have. */
export function command(
  program: Command,
  name: string,
  description: string,
  short = true,
): Command {
  const added = addPlace(commandOf(program, name, description), short)
    .option("--cluster <name>", "name of the cluster (default: scope of the file)");
  const form = new Option(
    short ? "-f, --format <form>" : "--format <form>",
    "form of the result: pretty, json, yaml or tsv",
  );
  return added.addOption(form.argParser(formatOf).default("pretty"));
}

/** Adds the question's answer. */
export function withForce(added: Command): Command {
  return added.option("--force", "act without asking");
}

/** Opens the cluster that the options, and a name among the arguments, mean. */
export async function open(
  { faces, program }: Workshop,
  given: Common,
  name?: string,
): Promise<CommandContext> {
  const where = whereOf(program, faces, given, name);
  return await faces.open(where, { format: given.format, force: given.force === true });
}

/** The file, store and cluster; options of the command count before those in front of it. */
export function whereOf(
  program: Command,
  { env }: Faces,
  given: Common,
  name?: string,
): Where {
  const before = program.opts<Before>();
  const named = [given.config, given.configFile, before.config, before.configFile]
    .concat([env["AGENT_CONFIG"], env["PATRONICTL_CONFIG_FILE"]])
    .find((path) => path !== undefined && path !== "");
  const isWhole = named === undefined && (env["PATRONI_CONFIGURATION"] ?? "").trim() !== "";
  return {
    configPath: isWhole ? "" : named ?? "patroni.yml",
    isNamed: isWhole || named !== undefined,
    scope: name ?? given.cluster ?? null,
    dcsUrl: given.dcsUrl ?? given.dcs ?? before.dcsUrl ?? before.dcs ?? null,
    insecure: given.insecure === true || before.insecure === true,
  };
}

/** A form as typed. Throws commander's error for another word. */
export function formatOf(text: string): Format {
  const wanted = text === "yml" ? "yaml" : text;
  const format = FORMATS.find((one) => one === wanted);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Allowed choices are ${FORMATS.join(", ")}.`);
}

/** A role as typed. Throws commander's error for another word. */
export function roleOf(text: string): Role {
  const wanted = text.replace("_", "-");
  const role = ROLES.find((one) => one === (wanted === "master" ? "primary" : wanted));
  if (role !== undefined) return role;
  throw new InvalidArgumentError(`Allowed choices are ${ROLES.join(", ")}.`);
}

/** The option that names a role. */
export function roleOption(): Option {
  return new Option("-r, --role <role>", `only members with this role: ${ROLES.join(", ")}`)
    .argParser(roleOf);
}

/** Watching, as the command line gives it. */
export interface Watched {
  /** `-W` */
  readonly autorefresh?: boolean;
  readonly watch?: number | true;
}

/** Adds `-W` and `--watch`. */
export function withWatch(added: Command): Command {
  return added
    .addOption(new Option("-W, --autorefresh", "again and again, every 2 seconds").hideHelp())
    .addOption(
      new Option("-w, --watch [seconds]", "again and again (default: every 2 seconds)")
        .argParser(seconds),
    );
}

/** Seconds between two looks, null for one look. */
export function watchOf({ autorefresh, watch }: Watched): number | null {
  if (typeof watch === "number") return watch;
  return watch === true || autorefresh === true ? 2 : null;
}

const SECONDS_MIN = 0.1;
const SECONDS_MAX = 86_400;

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= SECONDS_MIN && number <= SECONDS_MAX) return number;
  throw new InvalidArgumentError(`It must be ${SECONDS_MIN} to ${SECONDS_MAX} seconds.`);
}
