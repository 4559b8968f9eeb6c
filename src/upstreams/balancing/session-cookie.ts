import { createHmac, timingSafeEqual } from 'node:crypto';

const ID_BYTES = 12;
const MAC_BYTES = 18;
/** `id.expiry.mac`: 16, up to 9, and 24 characters. */
const VALUE = /^([\w-]{16})\.([\da-z]{1,9})\.([\w-]{24})$/;
const MS = 1000;

/** What a cookie says that we have signed. */
export interface Session {
  /** Names a target without telling where it is, see {@link SessionCookies.idOf}. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly until: number;
}

/**
 * Signs and reads the values of cookies that keep clients with their targets. They tell nobody where a target is, are good
 * for one upstream, and end.
 */
export class SessionCookies {
  readonly #upstream: string;
  readonly #secrets: readonly string[];

  /** @param secrets the first one signs, all of them are believed; at least one. */
  constructor(upstream: string, secrets: readonly string[]) {
    this.#upstream = upstream;
    this.#secrets = secrets;
  }

  /** What targets of an address are called, by each of the secrets. */
  idsOf(address: string): readonly string[] {
    return this.#secrets.map((secret) =>
      this.#mac(secret, `target ${address}`).toString('base64url', 0, ID_BYTES),
    );
  }

  /** The value of a cookie. @param untilMs when it ends, in ms since the epoch. */
  sign(id: string, untilMs: number): string {
    const said = `${id}.${Math.floor(untilMs / MS).toString(36)}`;
    return `${said}.${this.#signature(this.#secrets[0] as string, said).toString('base64url')}`;
  }

  /** What a value says; undefined for one that we have not signed, and for one that has ended. */
  read(value: string, nowMs: number): Session | undefined {
    const [, id, expiry, mac] = VALUE.exec(value) ?? [];
    if (id === undefined || expiry === undefined || mac === undefined) return undefined;
    const until = Number.parseInt(expiry, 36);
    if (until * MS <= nowMs) return undefined;
    const given = Buffer.from(mac, 'base64url');
    const said = `${id}.${expiry}`;
    const isOurs = this.#secrets.some((secret) => timingSafeEqual(this.#signature(secret, said), given));
    return isOurs ? { id, until } : undefined;
  }

  #signature(secret: string, said: string): Buffer {
    return this.#mac(secret, `session ${said}`).subarray(0, MAC_BYTES);
  }

  #mac(secret: string, text: string): Buffer {
    // A name has no line breaks: what is signed for one upstream means nothing to another.
    return createHmac('sha256', secret).update(`${this.#upstream}\n${text}`).digest();
  }
}
