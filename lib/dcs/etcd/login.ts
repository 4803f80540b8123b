import { DcsUnreachable, Refused } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { AUTH_NOT_ENABLED } from "./answer.ts";

/** A user of etcd. */
export interface EtcdUser {
  /** null: no login. */
  readonly username: string | null;
  readonly password: string | null;
}

/** What etcd gave for a name and a password. */
export interface Login {
  /** null: there is no user, or the store has authentication switched off. */
  readonly token: string | null;
}

/** Asks etcd for a token. Throws `Refused` when it gives none, else `DcsUnreachable`. */
export type AskToken = (body: JsonObject, signal: AbortSignal) => Promise<string>;

/** Throws `Refused` when a login may not do what is needed, or `DcsUnreachable`. */
export type ProveLogin = (login: Login, signal: AbortSignal) => Promise<void>;

interface Change {
  readonly former: EtcdUser;
  readonly prove: ProveLogin;
}

/** Name and password, which may change while the agent runs, and the token that they gave. */
export class EtcdLogin {
  readonly #ask: AskToken;
  #user: EtcdUser;
  /** The user before, until the new one is proved: files may be changed before etcd is, or hold a mistake. */
  #change: Change | null = null;
  #login: Login | null = null;

  constructor({ username, password }: EtcdUser, ask: AskToken) {
    this.#user = { username, password };
    this.#ask = ask;
  }

  /** False: nobody logs in. */
  get isWanted(): boolean {
    return this.#user.username !== null;
  }

  /** A login that holds as far as is known. Throws `Refused` when etcd takes none of the users, or `DcsUnreachable`. */
  async current(signal: AbortSignal): Promise<Login> {
    if (this.#login !== null) return this.#login;
    try {
      return await this.#enter(signal);
    } catch (error) {
      if (this.#change === null || !(error instanceof Refused)) throw error;
      const { former } = this.#change;
      const token = await this.#tokenOf(former, signal).catch(() => Promise.reject(error));
      return this.#login = { token };
    }
  }

  /** The next call logs in again; with a login: only if that is still the one in use. */
  forget(login = this.#login): void {
    if (this.#login === login) this.#login = null;
  }

  /**
   * Another user or password from now on, tried at once: null when it may do what `prove` asks, else why it is not used yet.
   * The token in use holds until then, and as long as the new user is refused the one before may still log in.
   */
  async take(next: EtcdUser, prove: ProveLogin, signal: AbortSignal): Promise<string | null> {
    const user = { username: next.username, password: next.password };
    if (user.username === null || isSame(user, this.#user) && this.#change === null) return null;
    const former = this.#change?.former ?? this.#user;
    this.#change = isSame(user, former) ? null : { former, prove };
    this.#user = user;
    try {
      await this.#enter(signal);
      return null;
    } catch (error) {
      if (error instanceof Refused || error instanceof DcsUnreachable) return error.message;
      throw error;
    }
  }

  async #enter(signal: AbortSignal): Promise<Login> {
    const [user, change] = [this.#user, this.#change];
    const login = { token: await this.#tokenOf(user, signal) };
    await change?.prove(login, signal);
    this.#login = login;
    // Without authentication etcd has looked at no password.
    if (this.#change === change && login.token !== null) this.#change = null;
    return login;
  }

  async #tokenOf({ username, password }: EtcdUser, signal: AbortSignal): Promise<string | null> {
    if (username === null) return null;
    try {
      return await this.#ask({ name: username, password: password ?? "" }, signal);
    } catch (error) {
      if (error instanceof Refused && error.code === AUTH_NOT_ENABLED) return null;
      throw error;
    }
  }
}

function isSame(one: EtcdUser, other: EtcdUser): boolean {
  return one.username === other.username && one.password === other.password;
}
