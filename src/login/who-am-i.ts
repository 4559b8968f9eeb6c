import type { Answer, Exchange } from '../exchange/exchange.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { Problem } from '../problems/problem.ts';
import { loginOf, privateJson } from './logged-in.ts';

/** Says who is logged in: what a page shows, and how to log out. No token is told. */
export async function whoAmI(exchange: Exchange, sessions: SessionVerifier): Promise<Answer> {
  const { options } = loginOf(sessions).deps;
  const { principal } = exchange;
  const found = await sessions.find(exchange);
  if (principal === undefined || found === undefined) throw new Problem('credentials-missing');
  const { id, subject, email, roles, permissions, tenant, tier } = principal;
  const endsAt = found.session.createdAt + options.session.absolute;
  return privateJson({
    id,
    subject,
    email,
    roles,
    permissions,
    tenant,
    tier,
    session: found.session.id,
    since: new Date(found.session.createdAt).toISOString(),
    until: new Date(endsAt).toISOString(),
    logout: `${options.paths.logout}?sid=${found.session.id}`,
  });
}
