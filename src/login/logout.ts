import type { Audit } from '../audit/audit-event.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { partitionOf } from '../exchange/principal.ts';
import { seeOther } from '../policies/authentication/login/hop-page.ts';
import { sessionMark } from '../policies/authentication/login/session.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { isNavigation } from '../policies/authentication/login/foreign-page.ts';
import { Problem } from '../problems/problem.ts';
import { endedEvent } from './ended-event.ts';
import { loginOf, privateJson } from './logged-in.ts';

/** Ends the session of the browser, and says where to go on: at the provider, which ends its own. */
export async function logout(
  exchange: Exchange,
  sessions: SessionVerifier,
  audit: Audit | undefined,
): Promise<Answer> {
  const login = loginOf(sessions);
  const { provider, cookies, options } = login.deps;
  const found = await sessions.find(exchange);
  if (found !== undefined) {
    // Any page can have a browser open an address; only ours know the session's.
    if (exchange.method !== 'POST' && new URLSearchParams(exchange.query).get('sid') !== found.session.id)
      throw new Problem('permission-denied', {
        detail: 'Log out by POST, or by the address that the session says.',
        by: 'identity.login.paths.logout',
      });
    await login.end(found.value, found.session);
    const who = partitionOf(sessions.principalOf(found.session));
    audit?.record(
      endedEvent(exchange, {
        actor: { type: 'principal', id: who, scheme: 'session' },
        target: `jti ${sessionMark(found.session.id)}`,
        issuer: options.issuer,
      }),
    );
  }
  exchange.responseHeaders.push(...cookies.clear());
  const away = options.logout.atProvider && found && provider.endSessionUrl(found.session.idToken);
  const location = away || options.paths.loggedOut;
  return isShown(exchange) ? seeOther(location) : privateJson({ location });
}

/** Whether a browser shows the answer: a form was sent, or an address was opened. */
function isShown({ request }: Exchange): boolean {
  const mode = request.headers['sec-fetch-mode'];
  return mode === undefined ? isNavigation(request) || isForm(request.headers) : mode === 'navigate';
}

function isForm(headers: Exchange['request']['headers']): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}
