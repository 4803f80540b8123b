/** `_IOWR('W', 6, int)` of linux/watchdog.h, the same number on x86, ARM, RISC-V and s390. */
const WDIOC_SETTIMEOUT = 0xC0045706n;
const SYSFS = "/sys/class/watchdog";
/** Absolute where the system has it: a bare name would be looked up in the working directory by the permission check. */
const LIBC = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "libc.so.6",
] as const;

/**
 * Sets the timeout of a device that this process has open. The kernel answers with the timeout that it took, in
 * seconds; `why` when the C library may not be called or the driver refuses.
 */
export async function setDeviceTimeout(
  path: string,
  timeoutS: number,
): Promise<number | { readonly why: string }> {
  const descriptor = await openDescriptor(path);
  if (descriptor === null) return { why: `${path} is not open` };
  const permission = await Deno.permissions.query({ name: "ffi" });
  if (permission.state !== "granted") return { why: "the C library may not be called" };
  const value = new Int32Array([timeoutS]);
  const result = callIoctl(descriptor, value);
  if (typeof result !== "number") return result;
  return result === 0 ? value[0] ?? timeoutS : { why: `${path} takes no timeout` };
}

function callIoctl(
  descriptor: number,
  value: Int32Array<ArrayBuffer>,
): number | { readonly why: string } {
  const faults: string[] = [];
  for (const name of LIBC) {
    try {
      const library = Deno.dlopen(name, {
        ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
      });
      const result = library.symbols.ioctl(descriptor, WDIOC_SETTIMEOUT, value);
      library.close();
      return result;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      faults.push(error.message);
    }
  }
  return { why: faults.at(-1) ?? "there is no C library" };
}

/** The number under which this process has the device open; Deno keeps it to itself. */
async function openDescriptor(path: string): Promise<number | null> {
  const real = await Deno.realPath(path).catch(() => path);
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
    if (target === real) return Number(name);
  }
  return null;
}

/** The timeout that the driver says it has, in seconds; `/dev/watchdog` is the first device. Null: it does not say. */
export async function deviceTimeoutS(path: string): Promise<number | null> {
  const name = path.split("/").pop() ?? "";
  const device = name === "watchdog" ? "watchdog0" : name;
  const text = await Deno.readTextFile(`${SYSFS}/${device}/timeout`).catch(() => "");
  const seconds = Number(text.trim());
  return text.trim() !== "" && Number.isInteger(seconds) ? seconds : null;
}
