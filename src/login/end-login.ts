import type { Audit } from '../audit/audit-event.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { hopPage } from '../policies/authentication/login/hop-page.ts';
import { failed, type Login } from '../policies/authentication/login/login.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { SECOND_TRY } from './begin-login.ts';
import { unknownLogin } from './ended-event.ts';
import { loginOf } from './logged-in.ts';

const LONGEST_STATE = 128;

/** Ends a log-in: the provider has sent the browser back. */
export async function endLogin(
  exchange: Exchange,
  sessions: SessionVerifier,
  audit: Audit | undefined,
): Promise<Answer> {
  const login = loginOf(sessions);
  const states = new URLSearchParams(exchange.query).getAll('state');
  const [state = ''] = states;
  if (states.length !== 1 || state.length > LONGEST_STATE)
    throw failed('The provider said no state, or several.');
  const transaction = await login.transactions.take(exchange.request, state);
  if (transaction === undefined) return beginAgain(login, state, () => audit?.record(unknownLogin(exchange)));
  const forget = login.transactions.forget(state);
  // Whatever comes of it, this log-in is over.
  exchange.responseHeaders.push(...forget);
  const value = await login.finish(exchange.query, transaction);
  return hopPage(transaction.back, login.deps.cookies.write(value));
}

// Its cookie is not there: it took too long, or it has ended in another tab. Who is logged in goes home from there.
function beginAgain(login: Login, state: string, begun: () => void): Answer {
  if (state.endsWith(SECOND_TRY)) throw failed('This browser has begun no such log-in, or keeps no cookies.');
  begun();
  return hopPage(`${login.deps.options.paths.login}?again`);
}
