import type { CommandContext } from "./command.ts";
import type { ExplainOptions } from "./explain.ts";
import type { HandoverOptions } from "./handover_plan.ts";
import type { ListOptions } from "./list.ts";
import type { PauseOptions } from "./pause.ts";
import type { Output } from "./output.ts";
import type { Format } from "./table.ts";
import type { GenerateWish } from "./generate_config.ts";
import type { ValidateWish } from "./validate.ts";
import type { Where } from "./where.ts";
import type { Wish } from "./wish.ts";

/** What the command line can start. `main` wires the real ones, tests bring their own. */
export interface Faces {
  readonly output: Output;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the agent until it is told to end. */
  runDaemon(configPath: string): Promise<number>;
  /** Reads a configuration file and tells what is to be said about it on this host. */
  validate(configPath: string, wish: ValidateWish): Promise<number>;
  /** Writes a configuration file to begin with. */
  generateConfig(wish: GenerateWish): Promise<number>;
  /** Opens the cluster of a configuration file for commands. Throws `ConfigError`. */
  open(where: Where, how: Manner): Promise<CommandContext>;
  list(context: CommandContext, options: ListOptions): Promise<number>;
  history(context: CommandContext): Promise<number>;
  handover(context: CommandContext, wish: HandoverOptions): Promise<number>;
  detach(context: CommandContext): Promise<number>;
  pause(context: CommandContext, options: PauseOptions): Promise<number>;
  /** Every other command of an operator. */
  operate(context: CommandContext, wish: Wish): Promise<number>;
  explain(output: Output, options: ExplainOptions): Promise<number>;
  /** The recording of the member that a configuration file describes. Throws `ConfigError`. */
  recordingOf(configPath: string): Promise<string>;
  version(output: Output, format: Format): Promise<number>;
}

/** How a command talks. */
export interface Manner {
  readonly format: Format;
  readonly force: boolean;
}
