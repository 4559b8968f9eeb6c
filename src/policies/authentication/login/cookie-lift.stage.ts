import type { Stage } from '../../stage.ts';
import { liftCookies } from './lifted-cookies.ts';
import type { LoginOptions } from './login.schema.ts';
import { SessionCookies } from './session-cookies.ts';

/** The cookies that a configuration gives log-ins and sessions. */
export function cookiesOf({ session, publicOrigin }: LoginOptions): SessionCookies {
  return new SessionCookies(session.cookie, publicOrigin.startsWith('https:'));
}

/** What every request meets where browsers log in: nobody behind it sees the cookies of the log-in, whatever its route. */
export function cookieLift(login: LoginOptions | undefined): readonly Stage[] {
  if (login === undefined) return [];
  const { name } = cookiesOf(login);
  return [{ enter: ({ request }) => liftCookies(request, name) }];
}
