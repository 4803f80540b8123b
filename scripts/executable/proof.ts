/** To be written. */
export async function proveProduct(
  _file: string,
  print: (text: string) => Promise<void>,
): Promise<void> {
  await print("");
}
