import { call, type Answer, type CallOptions } from './client.ts';

/** What a browser says of a page that its user opens, and of a request of a page of ours. */
export const OPENS = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };
export const ASKS = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' };

/** A browser without a window: it keeps cookies per host, and goes where it is told to. */
export class Visitor {
  /** Cookies of the gateway and of the provider. */
  readonly cookies = new Map<string, string>();
  readonly #atProvider = new Map<string, string>();
  readonly #gateway: () => string;
  readonly #publicOrigin: string;

  constructor(gateway: () => string, publicOrigin: string) {
    this.#gateway = gateway;
    this.#publicOrigin = publicOrigin;
  }

  /** Asks the gateway. @param at another replica. */
  async ask(path: string, options: CallOptions = {}, at = this.#gateway()): Promise<Answer> {
    return this.#send(at + path, { ...options, headers: { ...ASKS, ...options.headers } }, this.cookies);
  }

  /** Opens a page of the gateway. */
  open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask(path, { headers: { ...OPENS, accept: 'text/html', ...headers } });
  }

  /** Begins a log-in, and goes through the provider. @returns the path that the provider sends the browser to. */
  async untilCallback(back = '/', as?: string): Promise<string> {
    let answer = await this.open(`/login?return=${encodeURIComponent(back)}`);
    if (answer.status !== 303) throw new Error(`no log-in: ${answer.status} ${answer.text}`);
    for (let hops = 0; hops < 8; hops += 1) {
      const to = String(answer.headers.location);
      if (to.startsWith(this.#publicOrigin)) return to.slice(this.#publicOrigin.length);
      answer = await this.#send(as === undefined ? to : `${to}&user=${as}`, {}, this.#atProvider);
    }
    throw new Error(`the provider leads nowhere: ${answer.status} ${answer.text}`);
  }

  /** Logs in. */
  async logIn(back = '/'): Promise<Answer> {
    return this.open(await this.untilCallback(back), { 'sec-fetch-site': 'cross-site' });
  }

  /** Logs out at the provider, which asks whether that is meant. */
  async logOutAtProvider(issuer: string): Promise<void> {
    const page = await this.#send(`${issuer}/session/end`, {}, this.#atProvider);
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ xsrf, logout: 'yes' }).toString();
    const url = `${issuer}/session/end/confirm`;
    const answer = await this.#send(url, { method: 'POST', headers, body }, this.#atProvider);
    if (answer.status >= 400) throw new Error(`no log-out: ${answer.status} ${answer.text}`);
  }

  async #send(url: string, options: CallOptions, cookies: Map<string, string>): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie === '' ? {} : { cookie }), ...options.headers };
    const answer = await call(url, { ...options, headers });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const { location } = answer.headers;
    if (location?.startsWith('/') !== true) return answer;
    return { ...answer, headers: { ...answer.headers, location: new URL(location, url).href } };
  }
}
