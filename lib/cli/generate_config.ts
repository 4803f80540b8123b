import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import { readServerProfile, targetOfDsn } from "../postgres/server_profile.ts";
import type { HostFacts, Template } from "./config_template.ts";
import { sampleTemplate, serverTemplate } from "./config_template.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint, type Output } from "./output.ts";

const ASK_MS = 10_000;
const PROGRAMS = "/usr/lib/postgresql";

/** What is to be written where. */
export interface GenerateWish {
  /** null: stdout. */
  readonly file: string | null;
  /** From the host alone, without a server. */
  readonly sample: boolean;
  /** libpq connection string of the superuser; null: `PG*` variables. */
  readonly dsn: string | null;
}

/**
 * `agent generate-config`: writes a configuration that `agent validate` accepts, with a comment that names what only the
 * operator knows. A file that exists is left alone. Returns 1 where the server does not answer as a superuser's should.
 */
export async function generateConfig(
  output: Output,
  { env, file, sample, dsn }: GenerateWish & { readonly env: Readonly<Record<string, string>> },
): Promise<number> {
  try {
    const host = await hostFacts();
    const template = sample ? sampleTemplate(host) : await askServer(host, dsn ?? "", env);
    const text = await render(template);
    if (file === null) await output.out(text);
    else await Deno.writeTextFile(file, text, { createNew: true, mode: 0o600 });
    return EXIT.done;
  } catch (error) {
    const isExpected = error instanceof Refused || error instanceof PostgresUnreachable ||
      error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isExpected) throw error;
    const next =
      "Name a superuser's connection with --dsn, or write one of this host with --sample.";
    const isOfServer = error instanceof Refused || error instanceof PostgresUnreachable;
    await output.err(complaint(error.message, isOfServer ? next : undefined));
    return EXIT.failed;
  }
}

async function askServer(
  host: HostFacts,
  dsn: string,
  env: Readonly<Record<string, string>>,
): Promise<Template> {
  const target = targetOfDsn(dsn, env);
  using deadline = within(ASK_MS);
  const profile = await readServerProfile(target, deadline.signal);
  return serverTemplate(host, profile, target.login);
}

async function render({ values, unknown }: Template): Promise<string> {
  const { stringify } = await import("yaml");
  const lines = [
    "# Written by agent generate-config; keys and meanings are those of Patroni.",
    "# Before the first start, fill in or check (equal on all members):",
    ...unknown.map((path) => `# - ${path}`),
  ];
  return `${lines.join("\n")}\n${stringify(values, { lineWidth: 0, version: "1.1" })}`;
}

async function hostFacts(): Promise<HostFacts> {
  const addresses = Deno.networkInterfaces().filter(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  return {
    hostname: Deno.hostname(),
    address: addresses[0]?.address ?? "127.0.0.1",
    programs: await newestPrograms(),
  };
}

async function newestPrograms(): Promise<HostFacts["programs"]> {
  const majors: number[] = [];
  try {
    for await (const { name } of Deno.readDir(PROGRAMS)) majors.push(Number(name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const major = Math.max(...majors.filter(Number.isInteger));
  return Number.isFinite(major) ? { folder: `${PROGRAMS}/${major}/bin`, major } : null;
}
