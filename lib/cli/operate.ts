import type { CommandContext } from "./command.ts";
import type { Wish } from "./wish.ts";

/** Carries a wish out. Each command's code is loaded only when it is asked for. Returns the exit code. */
export async function operate(context: CommandContext, wish: Wish): Promise<number> {
  switch (wish.command) {
    case "topology":
      return await (await import("./topology.ts")).topology(context, wish.options);
    case "show-config":
      return await (await import("./show_config.ts")).showConfig(context);
    case "edit-config":
      return await (await import("./edit_config.ts")).editConfig(context, wish.options);
    case "restart":
      return await (await import("./restart.ts")).restart(context, wish.options);
    case "reinit":
      return await (await import("./reinit.ts")).reinit(context, wish.options);
    case "reload":
      return await (await import("./reload_members.ts")).reload(context, wish.options);
    case "flush":
      return await (await import("./flush.ts")).flush(context, wish.options);
    case "dsn":
      return await (await import("./dsn.ts")).dsn(context, wish.options);
    case "query":
      return await (await import("./query.ts")).query(context, wish.options);
    case "version":
      return await (await import("./member_versions.ts")).memberVersions(context, wish.names);
    case "remove":
      return await (await import("./remove.ts")).remove(context);
  }
}
