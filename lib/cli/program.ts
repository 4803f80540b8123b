import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ConfigError, DcsUnreachable, DecodeError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { AGENT_VERSION } from "../core/version.ts";
import { EXIT } from "./exit_codes.ts";
import type { Faces } from "./faces.ts";
import type { HandoverOptions } from "./handover_plan.ts";
import { complaint } from "./output.ts";
import { type Format, FORMATS } from "./table.ts";
import type { ValidateWish } from "./validate.ts";

const COMMANDS = [
  "list",
  "switchover",
  "failover",
  "pause",
  "resume",
  "detach",
  "history",
  "explain",
  "validate",
  "generate-config",
  "version",
  "help",
];

/** Runs one command line. Returns the exit code: 0 done, 1 refused or failed, 2 usage, 3 status unknown. */
export async function runProgram(args: readonly string[], faces: Faces): Promise<number> {
  const ended: { code: number } = { code: EXIT.done };
  const texts: { readonly to: "out" | "err"; readonly text: string }[] = [];
  const program = build(faces, (code) => void (ended.code = code));
  collect(program, texts);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    ended.code = await failed(error, faces);
  }
  for (const { to, text } of texts) await faces.output[to](text);
  return ended.code;
}

type Texts = { readonly to: "out" | "err"; readonly text: string }[];

/** Help and usage errors are kept until the end, so that they go through the one writer. */
function collect(program: Command, texts: Texts): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void texts.push({ to: "out", text }),
      writeErr: (text) => void texts.push({ to: "err", text }),
      outputError: (text, write) => write(text.replace(/^error: /, "agent: ")),
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
}

async function failed(error: unknown, { output }: Faces): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const isExpected = error instanceof ConfigError || error instanceof DcsUnreachable ||
    error instanceof DecodeError;
  if (!isExpected) throw error;
  const next = error instanceof DcsUnreachable
    ? "Check etcd3 in the configuration file and that etcd runs."
    : undefined;
  await output.err(complaint(error.message, next));
  return EXIT.failed;
}

type End = (code: number) => void;

function build(faces: Faces, end: End): Command {
  const program = new Command("agent")
    .description("High availability for PostgreSQL: runs a member, or looks at a cluster.")
    .argument("[patroni.yml]", "run the agent with this configuration file")
    .version(`agent ${AGENT_VERSION}`, "-V, --version", "show the version")
    .option("--validate-config", "check the configuration file and start nothing")
    .option("-i, --ignore-listen-port", "with --validate-config: a port in use is no fault")
    .option("-p, --print", "with --validate-config: print what is in force, without secrets")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("Run agent help to see what there is.")
    .addHelpText("after", "\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 status unknown");
  program.action(async (path: string | undefined) => end(await run(path, faces, program)));
  addReports(program, faces, end);
  addHandovers(program, faces, end);
  addPauses(program, faces, end);
  addConfigs(program, faces, end);
  return program;
}

async function run(path: string | undefined, faces: Faces, program: Command): Promise<number> {
  const { validateConfig, ...wish } = program.opts<{ validateConfig?: true } & ValidateGiven>();
  if (path === undefined && !isInEnvironment(faces)) program.help({ error: true });
  if (validateConfig === true) {
    return await faces.validate(path ?? "", validateWish("pretty", wish));
  }
  if (path === undefined) return await faces.runDaemon("");
  const isPath = /[./]/.test(path);
  const near = isPath ? null : nearest(path, COMMANDS);
  if (near === null) return await faces.runDaemon(path);
  await faces.output.err(complaint(`unknown command "${path}"`, `Did you mean agent ${near}?`));
  return EXIT.usage;
}

/** A configuration without a file: a whole document, or at least the name of the cluster. */
function isInEnvironment({ env }: Faces): boolean {
  return ["PATRONI_CONFIGURATION", "PATRONI_SCOPE"].some((name) => (env[name] ?? "").trim() !== "");
}

interface ValidateGiven {
  readonly print?: boolean;
  readonly ignoreListenPort?: boolean;
}

function validateWish(format: Format, given: ValidateGiven): ValidateWish {
  return {
    format,
    print: given.print === true,
    ignoreListenPort: given.ignoreListenPort === true,
  };
}

function addConfigs(program: Command, faces: Faces, end: End): void {
  command(program, "validate", "check a configuration on this host, and start nothing")
    .argument("[patroni.yml]", "file or folder (default: as --config)")
    .option("-i, --ignore-listen-port", "a port in use is no fault")
    .option("-p, --print", "print what is in force, without secrets")
    .action(async (path: string | undefined, given: Common & ValidateGiven) => {
      // The program has the same two options, and takes them first.
      const wish = validateWish(given.format, { ...given, ...program.opts<ValidateGiven>() });
      end(await faces.validate(path ?? configPath(given, faces), wish));
    });
  program.command("generate-config").description("write a configuration file to begin with")
    .argument("[file]", "where to (default: stdout); a file that exists is left alone")
    .addOption(new Option("--sample", "from this host alone").conflicts("dsn"))
    .option("--dsn <dsn>", "superuser's connection to the running server (default: PG* variables)")
    .action(async (file: string | undefined, given: { sample?: boolean; dsn?: string }) => {
      const dsn = given.dsn ?? null;
      end(await faces.generateConfig({ file: file ?? null, sample: given.sample === true, dsn }));
    });
}

interface Common {
  readonly config?: string;
  readonly format: Format;
  readonly force?: boolean;
}

function command(program: Command, name: string, description: string): Command {
  return program.command(name).description(description)
    .option("-c, --config <file>", "configuration file of any member (default: AGENT_CONFIG)")
    .addOption(
      new Option("--format <form>", "form of the result").choices(FORMATS).default("pretty"),
    );
}

function addReports(program: Command, faces: Faces, end: End): void {
  const manner = ({ format }: Common) => ({ format, force: false });
  command(program, "list", "show the members: role, state, timeline, lag")
    .action(async (given: Common) =>
      end(await faces.list(await faces.open(configPath(given, faces), manner(given))))
    );
  command(program, "history", "show every change of the leader")
    .action(async (given: Common) =>
      end(await faces.history(await faces.open(configPath(given, faces), manner(given))))
    );
  command(program, "explain", "tell why the agent decided as it did in a recorded tick")
    .argument("[recording]", "file of recorded ticks (default: that of this member)")
    .addOption(
      new Option("--tick <number>", "0 the first, -1 the last").argParser(whole).default(-1),
    )
    .action(async (path: string | undefined, given: Common & { readonly tick: number }) => {
      const recording = path ?? await faces.recordingOf(configPath(given, faces));
      const { tick, format } = given;
      end(await faces.explain(faces.output, { path: recording, tick, format }));
    });
  command(program, "version", "show the version")
    .action(async ({ format }: Common) => end(await faces.version(faces.output, format)));
}

interface HandoverGiven extends Common {
  readonly leader?: string;
  readonly candidate?: string;
  readonly member?: string;
}

function addHandovers(program: Command, faces: Faces, end: End): void {
  const add = (name: HandoverOptions["command"], description: string): void => {
    command(program, name, description)
      .option("--leader <name>", "the member that leads now")
      .option("--candidate <name>", "the member that shall lead")
      .addOption(new Option("--member <name>", "the same as --candidate").conflicts("candidate"))
      .option("--force", "act without asking")
      .action(async (given: HandoverGiven) => {
        const manner = { format: given.format, force: given.force === true };
        const context = await faces.open(configPath(given, faces), manner);
        end(await faces.handover(context, wishOf(name, given)));
      });
  };
  add("switchover", "let another member lead, in order: the leader stops first");
  add("failover", "let a member lead although the leader is gone");
}

interface PauseGiven extends Common {
  readonly wait?: boolean;
}

function addPauses(program: Command, faces: Faces, end: End): void {
  const add = (name: string, on: boolean, description: string): void => {
    command(program, name, description)
      .option("--wait", "return when every member has confirmed it")
      .option("--force", "act without asking")
      .action(async (given: PauseGiven) => {
        const manner = { format: given.format, force: given.force === true };
        const context = await faces.open(configPath(given, faces), manner);
        end(await faces.pause(context, { on, wait: given.wait === true }));
      });
  };
  add("pause", true, "maintenance mode: the agents start, stop and promote nothing");
  add("resume", false, "end maintenance mode");
  command(program, "detach", "end this host's agent only: the next one takes over within the lease")
    .action(async (given: Common) => {
      const manner = { format: given.format, force: false };
      end(await faces.detach(await faces.open(configPath(given, faces), manner)));
    });
}

/** A failover that names only a leader is a switchover. */
function wishOf(name: HandoverOptions["command"], given: HandoverGiven): HandoverOptions {
  const leader = given.leader ?? null;
  const candidate = given.candidate ?? given.member ?? null;
  const isSwitchover = name === "switchover" || (leader !== null && candidate === null);
  return { command: isSwitchover ? "switchover" : "failover", leader, candidate };
}

/** `--config`, `AGENT_CONFIG`, `PATRONICTL_CONFIG_FILE`, the environment (""), else `patroni.yml` in this folder. */
function configPath({ config }: Common, faces: Faces): string {
  const { env } = faces;
  const named = [config, env["AGENT_CONFIG"], env["PATRONICTL_CONFIG_FILE"]]
    .find((path) => path !== undefined && path !== "");
  const isWhole = (env["PATRONI_CONFIGURATION"] ?? "").trim() !== "";
  return named ?? (isWhole ? "" : "patroni.yml");
}

function whole(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number.");
}
