import { Command, CommanderError } from "commander";
import { ConfigError, DcsUnreachable, DecodeError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { AGENT_VERSION } from "../core/version.ts";
import { EXIT } from "./exit_codes.ts";
import type { Faces } from "./faces.ts";
import { complaint } from "./output.ts";
import { addChanges } from "./program_changes.ts";
import { addConfigs, isInEnvironment, type ValidateGiven, validateWish } from "./program_config.ts";
import { addMembers } from "./program_members.ts";
import { addReports } from "./program_reports.ts";
import { addPlace, type End } from "./shared_options.ts";

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

function build(faces: Faces, end: End): Command {
  const program = new Command("agent")
    .description("High availability for PostgreSQL: runs a member, or looks at a cluster.")
    .argument("[patroni.yml]", "run the agent with this configuration file")
    .version(`agent ${AGENT_VERSION}`, "-V, --version", "show the version")
    .option("--validate-config", "check the configuration file and start nothing")
    .option("-i, --ignore-listen-port", "with --validate-config: a port in use is no fault")
    .option("-p, --print", "with --validate-config: print what is in force, without secrets")
    .enablePositionalOptions()
    .helpCommand(false)
    .showHelpAfterError("Run agent help to see what there is.")
    .addHelpText("after", "\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 status unknown");
  addPlace(program);
  program.action(async (path: string | undefined) => end(await run(path, faces, program)));
  const shop = { program, faces, end };
  addReports(shop);
  addChanges(shop);
  addMembers(shop);
  addConfigs(shop);
  addHelp(program);
  return program;
}

/** That of the library shows everything for a command that is not there, without a word of it. */
function addHelp(program: Command): void {
  program.command("help").description("show the help of a command").argument("[command]")
    .helpOption(false)
    .action((name: string | undefined, _given: unknown, self: Command) => {
      if (name === undefined) program.help();
      const found = program.commands.find((command) => command.name() === name);
      found?.help();
      self.error(`error: unknown command "${name}"`);
    });
}

async function run(path: string | undefined, faces: Faces, program: Command): Promise<number> {
  const { validateConfig, ...wish } = program.opts<{ validateConfig?: true } & ValidateGiven>();
  if (path === undefined && !isInEnvironment(faces)) program.help({ error: true });
  if (validateConfig === true) {
    return await faces.validate(path ?? "", validateWish("pretty", wish));
  }
  const isPath = path === undefined || path === "" || /[./]/.test(path) || await isThere(path);
  if (isPath) return await faces.runDaemon(path ?? "");
  const near = nearest(path, program.commands.map((command) => command.name()));
  const next = near === null
    ? "Run agent help to see what there is."
    : `Did you mean agent ${near}?`;
  await faces.output.err(complaint(`there is no command and no file "${path}"`, next));
  return EXIT.usage;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
