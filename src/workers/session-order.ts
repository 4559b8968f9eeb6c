import type { IncomingHttpHeaders } from 'node:http';
import type { AdminAccess } from '../admin/access/admin-access.ts';
import { isJson, pageFault } from '../admin/access/page-rules.ts';
import type { RelayedAnswer, RelayedRequest } from '../admin/relayed-requests.ts';
import { MOST_SESSION_BYTES, SESSION_PATH, sessionSchema } from '../admin/session-pages.ts';

/** A request to log in or out: a worker answers it by its rules, and this process keeps the session. */
export class SessionOrder {
  /** What a worker is asked. */
  readonly asked: RelayedRequest;
  readonly #access: AdminAccess;
  readonly #token: string | undefined;

  constructor(access: AdminAccess, asked: RelayedRequest) {
    this.#access = access;
    // A page of another site may send a bad token: that is no guess of whoever sits before it.
    this.#token = isOrder(asked, 'POST') && mayLogIn(asked, access) ? tokenOf(asked.body) : undefined;
    this.asked =
      this.#token === undefined ? asked : { ...asked, login: access.login(this.#token, asked.address) };
  }

  /** Does what a worker has allowed; returns what the client is answered. */
  settle(answer: RelayedAnswer): RelayedAnswer {
    const { asked } = this;
    if (answer.status !== 204) return answer;
    const isLogin = this.#token !== undefined && isOrder(asked, 'POST');
    if (!isLogin && !isOrder(asked, 'DELETE')) return answer;
    const cookie = isLogin
      ? this.#access.openSession(this.#token as string)
      : this.#access.closeSession(asked.headers as { cookie?: string });
    return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } };
  }
}

/** Whether a request asks for a session, or for its end. */
export function isSessionOrder({ url }: Pick<RelayedRequest, 'url'>): boolean {
  return url.split('?', 1)[0] === SESSION_PATH;
}

function mayLogIn({ formFault, body, ...asked }: RelayedRequest, { hosts }: AdminAccess): boolean {
  const headers = asked.headers as IncomingHttpHeaders;
  if (formFault !== undefined || !isJson(headers) || body.length > MOST_SESSION_BYTES) return false;
  return pageFault({ ...asked, headers, isPage: false }, hosts) === undefined;
}

function isOrder({ method, url }: RelayedRequest, wanted: string): boolean {
  return method === wanted && isSessionOrder({ url });
}

function tokenOf(body: Buffer): string | undefined {
  try {
    return sessionSchema.parse(JSON.parse(body.toString())).token;
  } catch {
    return undefined;
  }
}
