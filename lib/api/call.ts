import type { HttpReply } from "./reply.ts";

/** One request as handlers see it. Path and query are cut from the text of the URL, so that no Host can spoil them. */
export interface Call {
  readonly request: Request;
  readonly method: string;
  /** From the first slash to the question mark. */
  readonly path: string;
  /** From the question mark on, "" without one. */
  readonly search: string;
  /** Aborts when the server shuts down. */
  readonly closing: AbortSignal;
}

/** What serves one method of one path. */
export type Handler = (call: Call) => HttpReply | Promise<HttpReply>;

/** Cuts a request into a call. `new URL` is not used: it throws on a Host such as `a b`. */
export function callOf(request: Request, closing: AbortSignal): Call {
  const { method, url } = request;
  const afterScheme = url.indexOf("://") + 3;
  const slash = url.indexOf("/", afterScheme);
  const target = (slash < 0 ? "/" : url.slice(slash)).split("#", 1).join("");
  const question = target.indexOf("?");
  if (question < 0) return { request, method, path: target, search: "", closing };
  const path = target.slice(0, question);
  return { request, method, path, search: target.slice(question), closing };
}
