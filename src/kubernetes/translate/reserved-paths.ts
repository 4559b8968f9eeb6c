import { textOf, wordsOf, type Json } from '../resource.ts';
import { ObjectFault } from './faults.ts';

/**
 * A match without paths that the gateway answers itself, for services that trust it: at a host it would come before these.
 *
 * @throws {ObjectFault} for a match of nothing else.
 */
export function withoutReserved(match: Json, reserved: readonly string[], field: string): Json {
  if (reserved.length === 0) return match;
  const path = textOf(match['path']);
  const literal = path.replace(/\/[^/]*[{*].*$/s, '');
  if (reserved.some((one) => literal === one || literal.startsWith(`${one}/`)))
    throw new ObjectFault(
      'UnsupportedValue',
      `${field}: ${literal} is where the gateway has its public keys`,
    );
  if (literal === path) return match;
  const except = reserved.filter((one) => one.startsWith(`${literal}/`));
  return except.length === 0 ? match : { ...match, except: [...wordsOf(match['except']), ...except] };
}
