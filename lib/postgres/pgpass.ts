import type { RoleLogin } from "./options.ts";

/** One server whose password a passfile must know. */
export interface PassLine {
  readonly host: string;
  readonly port: number;
  readonly login: RoleLogin;
}

/** The content of a passfile; logins without a password get no line, a socket directory is also `localhost`. */
export function renderPassfile(lines: readonly PassLine[]): string {
  const rendered = lines.flatMap(({ host, port, login }) => {
    if (login.password === null) return [];
    const names = host.startsWith("/") ? [host, "localhost"] : [host];
    const rest = `${port}:*:${escapeField(login.username)}:${escapeField(login.password)}`;
    return names.map((name) => `${escapeField(name)}:${rest}`);
  });
  return rendered.map((line) => `${line}\n`).join("");
}

/** Writes a file that only its owner can read, whole or not at all. Throws the file system's error. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.agent-new`;
  await Deno.writeTextFile(draft, text, { mode: 0o600 });
  await Deno.chmod(draft, 0o600);
  await Deno.rename(draft, path);
}

function escapeField(text: string): string {
  return text === "" ? "*" : text.replace(/[:\\]/g, (character) => `\\${character}`);
}
