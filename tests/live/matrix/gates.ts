import type { JsonObject } from "../../../lib/base/json.ts";
import { waitFor } from "../../../scripts/playground/wait.ts";

const HOLD = `#!/bin/sh
[ -e "$1" ] || exit 0
: >"$1.reached"
while [ -e "$1" ]; do sleep 0.05; done
`;

/** A moment at which a member can be held. */
export type Hook = "pre_promote" | "before_stop";

/** Real hooks of the members that wait while their gate is shut. */
export class Gates {
  readonly #folder: string;
  readonly #shut = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<Gates> {
    await Deno.writeTextFile(`${folder}/hold`, HOLD, { mode: 0o755 });
    return new Gates(folder);
  }

  /** Lines for `postgresql` in the file of a member. */
  hooksOf(member: string): JsonObject {
    const command = (hook: Hook): string => `${this.#folder}/hold ${this.#path(member, hook)}`;
    return { pre_promote: command("pre_promote"), before_stop: command("before_stop") };
  }

  async shut(member: string, hook: Hook): Promise<void> {
    const path = this.#path(member, hook);
    await Deno.remove(`${path}.reached`).catch(() => undefined);
    await Deno.writeTextFile(path, "");
    this.#shut.add(path);
  }

  /** Waits until the member is held at its gate. */
  async reached(member: string, hook: Hook): Promise<void> {
    await waitFor(`${member} at its ${hook}`, 20_000, async () => {
      const { isFile } = await Deno.stat(`${this.#path(member, hook)}.reached`);
      return { met: isFile ? true : null, seen: "" };
    });
  }

  async openAll(): Promise<void> {
    for (const path of this.#shut) await Deno.remove(path);
    this.#shut.clear();
  }

  async close(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  #path(member: string, hook: Hook): string {
    return `${this.#folder}/${member}.${hook}`;
  }
}
