import type { X509Certificate } from 'node:crypto';
import type { Finding } from './check.ts';

const DAY_MS = 86_400_000;
/** How long before its end a certificate is warned of, in days. */
const SOON_DAYS = 14;

/** How long a certificate is good for yet, and whether that is soon. */
export function expiryOf(
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  now = Date.now(),
): Pick<Finding, 'level' | 'what'> {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (now < from) return { level: 'fail', what: `is not valid before ${day(from)}` };
  if (now > to) return { level: 'fail', what: `has expired on ${day(to)}` };
  const days = Math.floor((to - now) / DAY_MS);
  const what = `expires on ${day(to)}, in ${days} ${days === 1 ? 'day' : 'days'}`;
  return { level: days < SOON_DAYS ? 'warn' : 'ok', what };
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
