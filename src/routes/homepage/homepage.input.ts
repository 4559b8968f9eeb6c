import type { ViewInput } from '../../bff/view.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Homepage } from './homepage.view.ts';

/**
 * Everybody sees their own homepage; nobody can ask for another's.
 *
 * @throws {Problem} `credentials-missing` when the caller is not known, `permission-denied` when it is no user.
 */
export function homepageInput({ principal }: Exchange): ViewInput<typeof Homepage> {
  if (principal === undefined) throw new Problem('credentials-missing');
  // Fails closed: an application could have the name of a user.
  if (principal.subject === undefined) throw new Problem('permission-denied');
  return { userId: principal.subject };
}
