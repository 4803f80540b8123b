/** Replaces a small file of the state directory at once: readers see the old or the new content, never a part. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await Deno.writeTextFile(draft, text, { mode: 0o600 });
  await Deno.rename(draft, path);
}

/** The text of a state file, or null when there is none or it cannot be read. */
export async function readFileIfAny(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
