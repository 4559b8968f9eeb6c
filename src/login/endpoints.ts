import type { Audit } from '../audit/audit-event.ts';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { backChannel } from './back-channel.ts';
import { beginLogin } from './begin-login.ts';
import { endLogin } from './end-login.ts';
import { logout } from './logout.ts';
import { whoAmI } from './who-am-i.ts';

/** What one endpoint of the log-in does. */
export interface Endpoint extends Pick<OperationContract, 'answers' | 'problems'> {
  /** Rejects with a problem. */
  answer(exchange: Exchange, sessions: SessionVerifier, audit: Audit | undefined): Promise<Answer>;
}

/** The endpoints of the log-in. */
export const endpoints = {
  login: {
    answer: beginLogin,
    answers: { 303: { description: 'To the provider, or back where somebody is logged in.' } },
    problems: ['identity-unavailable', 'request-invalid'],
  },
  callback: {
    answer: endLogin,
    answers: { 200: { description: 'A page that goes back to where the log-in began.' } },
    problems: ['login-failed', 'session-too-large', 'identity-unavailable'],
  },
  logout: {
    answer: logout,
    answers: {
      200: { description: 'Where a page should go on, as `location`.' },
      303: { description: 'The same, for a browser that shows the answer.' },
    },
    problems: ['permission-denied', 'identity-unavailable'],
  },
  backChannel: {
    answer: backChannel,
    answers: { 200: { description: 'The sessions that the logout token names have ended.' } },
    problems: ['request-invalid', 'identity-unavailable'],
  },
  session: {
    answer: whoAmI,
    answers: { 200: { description: 'Who is logged in; no tokens.' } },
    problems: [],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

/** Name of an endpoint. */
export type EndpointName = keyof typeof endpoints;
