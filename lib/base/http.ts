/** One HTTP request as `fetch` makes it, with its errors; what certificates it carries is the road's own affair. */
export type HttpFetch = (url: string, init: RequestInit) => Promise<Response>;

/** "tcp connect error: Connection refused (os error 111)" of the longer sentence of Deno's `fetch`. */
export function withoutUrl(why: string): string {
  return why.replace(/^error sending request .*?: client error \(\w+\): /, "");
}

/** The value of an `authorization` header, from the UTF-8 bytes: `btoa` alone refuses characters beyond Latin-1. */
export function basicAuthorization(
  { username, password }: { readonly username: string; readonly password: string },
): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/** `host:port`, with brackets around IPv6. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
