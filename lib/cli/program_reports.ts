import { InvalidArgumentError, Option } from "commander";
import {
  command,
  type Common,
  open,
  roleOption,
  type Watched,
  watchOf,
  whereOf,
  withWatch,
  type Workshop,
} from "./shared_options.ts";
import type { Role } from "./selection.ts";

/** Adds the commands that only look. */
export function addReports(shop: Workshop): void {
  addLists(shop);
  addServers(shop);
  const { program, faces, end } = shop;
  command(program, "explain", "tell why the agent decided as it did in a recorded tick")
    .argument("[recording]", "file of recorded ticks (default: that of this member)")
    .addOption(
      new Option("--tick <number>", "0 the first, -1 the last").argParser(whole).default(-1),
    )
    .action(async (path: string | undefined, given: Common & { readonly tick: number }) => {
      const { configPath } = whereOf(program, faces, given);
      const recording = path ?? await faces.recordingOf(configPath);
      const { tick, format } = given;
      end(await faces.explain(faces.output, { path: recording, tick, format }));
    });
  command(program, "version", "show the version; with names, those of members and servers")
    .argument("[members...]", "members; the name of the cluster means all of them")
    .action(async (names: readonly string[], given: Common) => {
      if (names.length === 0) return end(await faces.version(faces.output, given.format));
      end(await faces.operate(await open(shop, given), { command: "version", names }));
    });
}

interface ListGiven extends Common, Watched {
  readonly extended?: boolean;
  readonly timestamp?: boolean;
}

function addLists(shop: Workshop): void {
  const { program, faces, end } = shop;
  const list = command(program, "list", "show the members: role, state, timeline, lag")
    .argument("[clusters...]", "names of clusters in this store (default: that of the file)")
    .option("-e, --extended", "also positions, restarts and addresses")
    .option("-t, --timestamp", "a line with the time above");
  withWatch(list).action(async (clusters: readonly string[], given: ListGiven) => {
    const { extended = false, timestamp = false } = given;
    const options = { clusters, extended, timestamp, watchS: watchOf(given) };
    end(await faces.list(await open(shop, given, clusters[0]), options));
  });
  const topology = command(program, "topology", "show the members as a tree: who copies from whom")
    .argument("[cluster]", "name of the cluster (default: scope of the file)");
  withWatch(topology).action(async (name: string | undefined, given: Common & Watched) => {
    const wish = { command: "topology", options: { watchS: watchOf(given) } } as const;
    end(await faces.operate(await open(shop, given, name), wish));
  });
  command(program, "history", "show every change of the leader")
    .argument("[cluster]", "name of the cluster (default: scope of the file)")
    .action(async (name: string | undefined, given: Common) =>
      end(await faces.history(await open(shop, given, name)))
    );
  command(program, "show-config", "show the settings of the cluster, as YAML")
    .argument("[cluster]", "name of the cluster (default: scope of the file)")
    .action(async (name: string | undefined, given: Common) =>
      end(await faces.operate(await open(shop, given, name), { command: "show-config" }))
    );
}

interface ServerGiven extends Common {
  readonly role?: Role;
  readonly member?: string;
}

interface QueryGiven extends ServerGiven, Watched {
  readonly command?: string;
  readonly file?: string;
  readonly username?: string;
  readonly dbname?: string;
  readonly password?: boolean;
  readonly delimiter: string;
  readonly timeout: string;
}

const EQUAL_NAMES = `
In json and yaml each column has a name of its own: SELECT 1 AS id, 2 AS id gives id and id_2.`;

function addServers(shop: Workshop): void {
  const { program, faces, end } = shop;
  command(program, "dsn", "print host and port of a member's server")
    .argument("[cluster]", "name of the cluster (default: scope of the file)")
    .addOption(roleOption())
    .addOption(new Option("-m, --member <name>", "this member (default: the leader)"))
    .action(async (name: string | undefined, given: ServerGiven) => {
      const options = { member: given.member ?? null, role: given.role ?? null };
      end(await faces.operate(await open(shop, given, name), { command: "dsn", options }));
    });
  const query = command(program, "query", "run SQL on a member's server", false)
    .argument("[cluster]", "name of the cluster (default: scope of the file)")
    .option("-c, --command <sql>", "the statement; of several, the rows of the last are shown")
    .option("-f, --file <file>", "file with the statement, - for stdin")
    .addOption(roleOption())
    .option("-m, --member <name>", "on this member (default: the leader)")
    .option("-U, --username <name>", "role in the database (default: the superuser of the file)")
    .option("-d, --dbname <name>", "database (default: that of the file)")
    .option("--password", "ask for the password")
    .option("--delimiter <text>", "between the cells in the form tsv", "\t")
    .option("--timeout <time>", "how long one run may take, like 90 or 5min", "60")
    .addHelpText("after", EQUAL_NAMES);
  withWatch(query).action(async (name: string | undefined, given: QueryGiven) => {
    const options = {
      command: given.command ?? null,
      file: given.file ?? null,
      member: given.member ?? null,
      role: given.role ?? null,
      username: given.username ?? null,
      database: given.dbname ?? null,
      password: given.password === true,
      delimiter: given.delimiter,
      timeout: given.timeout,
      watchS: watchOf(given),
    };
    end(await faces.operate(await open(shop, given, name), { command: "query", options }));
  });
}

function whole(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number.");
}
