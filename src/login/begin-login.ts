import type { Answer, Exchange } from '../exchange/exchange.ts';
import { seeOther } from '../policies/authentication/login/hop-page.ts';
import { isNavigation } from '../policies/authentication/login/foreign-page.ts';
import { ownPath } from '../policies/authentication/login/return-path.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { unavailable } from '../policies/authentication/verifier.ts';
import { Problem } from '../problems/problem.ts';
import { loginOf } from './logged-in.ts';

const RETRY_AFTER_MS = 5000;

/** The end of a state whose log-in has begun once more, because nobody knew the first one. */
export const SECOND_TRY = '~2';

/** Begins a log-in: remembers it in the browser, and sends that to the provider. */
export async function beginLogin(exchange: Exchange, sessions: SessionVerifier): Promise<Answer> {
  const login = loginOf(sessions);
  const { request } = exchange;
  // A script that follows to the provider only gets an error that it cannot read.
  if (request.headers['sec-fetch-mode'] !== undefined && !isNavigation(request))
    throw new Problem('request-invalid', { detail: 'Open this address as a page.' });
  const query = new URLSearchParams(exchange.query);
  const back = ownPath(query.get('return')) ?? login.deps.options.paths.home;
  if (await isLoggedIn(exchange, sessions)) return seeOther(back);
  const transaction = login.transaction(back, query.has('again') ? SECOND_TRY : '');
  const url = await login.deps.provider.authorizationUrl(transaction).catch((error: unknown) => {
    throw unavailable(RETRY_AFTER_MS, error);
  });
  return seeOther(url.href, login.transactions.begin(request, transaction));
}

/** Whether somebody is logged in by now, such as in another tab. Nothing depends on it, so that any doubt is a no. */
async function isLoggedIn(exchange: Exchange, sessions: SessionVerifier): Promise<boolean> {
  try {
    const principal = await sessions.verify(exchange);
    if (principal?.marks === undefined) return false;
    return !loginOf(sessions).deps.revocations.set.revokes(principal.marks);
  } catch {
    return false;
  }
}
