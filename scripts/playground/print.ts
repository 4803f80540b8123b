const encoder = new TextEncoder();

/** Writes text for people, with a line end. */
export async function print(text: string): Promise<void> {
  await printRaw(`${text}\n`);
}

/** Writes text as it is. */
export async function printRaw(text: string): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  try {
    await writer.write(encoder.encode(text));
  } finally {
    writer.releaseLock();
  }
}
