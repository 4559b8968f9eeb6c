import type { Audit } from '../audit/audit-event.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { readLogoutToken } from '../policies/authentication/login/logout-token.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { digestOf, digestText } from '../policies/authentication/revocation/revocation-marks.ts';
import { Problem } from '../problems/problem.ts';
import { endedEvent, refusedEvent, type EndedSessions } from './ended-event.ts';
import { formOf } from './form-body.ts';
import { loginOf, NOT_KEPT } from './logged-in.ts';

const NOTHING = Buffer.alloc(0);

/** Ends the sessions that the provider says have ended (OpenID Connect Back-Channel Logout 1.0). */
export async function backChannel(
  exchange: Exchange,
  sessions: SessionVerifier,
  audit: Audit | undefined,
): Promise<Answer> {
  try {
    audit?.record(endedEvent(exchange, await endSessions(exchange, sessions)));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, message: detail, headers, cause } = error;
    audit?.record(refusedEvent(exchange, error));
    throw new Problem(code, { detail, headers: { ...headers, 'cache-control': 'no-store' }, cause });
  }
  return { status: 200, headers: ['content-length', '0', ...NOT_KEPT], body: NOTHING };
}

async function endSessions(exchange: Exchange, sessions: SessionVerifier): Promise<EndedSessions> {
  const login = loginOf(sessions);
  const { options, provider, clock } = login.deps;
  const tokens = (await formOf(exchange)).getAll('logout_token');
  const [text = ''] = tokens;
  if (tokens.length !== 1) throw new Problem('request-invalid', { detail: 'Expected one logout_token.' });
  const { issuer, clientId, logout } = options;
  const terms = {
    issuer,
    clientId,
    requireExp: logout.requireExp,
    keys: provider.keys,
    nowS: clock() / 1000,
  };
  const token = await readLogoutToken(text, terms);
  const forMs = Math.max(1000, token.until * 1000 - clock()) + 60_000;
  if (!(await login.once.isFirst('logout', token.jti, forMs)))
    throw new Problem('request-invalid', { detail: 'The logout token is refused: it was used before.' });
  try {
    await login.endNamed(token);
  } catch (error) {
    // Nothing has ended everywhere yet: the provider may say it again.
    await login.once.forget('logout', token.jti);
    throw error;
  }
  // The id of a session may open it somewhere else, so that only its digest is told.
  const { sid, sub } = token;
  const target = sid === undefined ? `sub ${sub}` : `sid ${digestText(digestOf('sid', issuer, sid))}`;
  return { actor: { type: 'issuer', id: issuer }, target, issuer };
}
