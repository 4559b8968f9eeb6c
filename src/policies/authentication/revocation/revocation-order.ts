import { z } from 'zod';
import { digestOf, msOf, secondsOf, type Digest, type RevocationKind } from './revocation-marks.ts';
import type { LoggedRevocation } from './revocation-log.ts';

/** How far ahead of ours a clock may be that says before when something was issued. */
const MOST_AHEAD_MS = 60_000;
const MOST_ORDERS = 1000;

const name = z.string().min(1).max(1024);
/** Seconds since the epoch, as tokens have them, or RFC 3339. */
const time = z.union([
  z.number().positive(),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / 1000),
]);

const order = z
  .strictObject({
    jti: name.optional(),
    sid: name.optional(),
    sub: name.optional(),
    issuer: name.optional(),
    /** Of the token or the session, after which nobody needs to remember it. */
    expiresAt: time.optional(),
    issuedBefore: time.optional(),
    reason: z.string().max(500).optional(),
  })
  .superRefine(({ jti, sid, sub, issuer, expiresAt, issuedBefore }, context) => {
    const fault = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const given = [jti, sid, sub].filter((one) => one !== undefined).length;
    if (given !== 1) context.addIssue({ code: 'custom', message: 'expected exactly one of jti, sid, sub' });
    if (jti !== undefined && issuer !== undefined)
      fault('issuer', 'does not go with jti, which is unique by itself');
    if (sub !== undefined && expiresAt !== undefined)
      fault('expiresAt', 'does not go with sub; expected issuedBefore');
    if (sub === undefined && issuedBefore !== undefined) fault('issuedBefore', 'goes with sub only');
  });

/** What an operator sends: one order, or up to a thousand. */
export const revocationOrders = z
  .union([order, z.array(order).min(1).max(MOST_ORDERS)])
  .transform((given) => [given].flat());

/** One order. */
export type RevocationOrder = z.output<typeof order>;

/** A revocation as it is told to an operator. */
export interface OrderedRevocation extends LoggedRevocation {
  readonly kind: RevocationKind;
  readonly value: string;
  readonly issuer: string | undefined;
  /** Until when it is kept (RFC 3339). */
  readonly until: string;
  /** For a subject: before when its tokens were issued (RFC 3339). */
  readonly issuedBefore?: string;
}

/** What an order is read against. */
export interface OrderTerms {
  /** The issuers of the configuration. */
  readonly issuers: readonly string[];
  /** The longest life of a token, in ms. */
  readonly longest: number;
  readonly nowMs: number;
}

/** An order that makes no sense; its message is for the operator. */
export class OrderFault extends Error {}

/** What an order names. @throws {OrderFault} when it cannot be told whose it is. */
export function namedBy(
  { jti, sid, sub, issuer }: Pick<RevocationOrder, 'jti' | 'sid' | 'sub' | 'issuer'>,
  issuers: readonly string[],
): { kind: RevocationKind; value: string; issuer: string | undefined; digest: Digest } {
  if (jti !== undefined)
    return { kind: 'jti', value: jti, issuer: undefined, digest: digestOf('jti', '', jti) };
  const [kind, value] = sid === undefined ? (['sub', sub ?? ''] as const) : (['sid', sid] as const);
  const whose = issuer ?? (issuers.length > 1 ? undefined : (issuers[0] ?? ''));
  if (whose === undefined)
    throw new OrderFault(`issuer: expected one, because there are several: ${issuers.join(', ')}`);
  if (issuers.length > 0 && !issuers.includes(whose))
    throw new OrderFault(
      `issuer: there is no issuer ${JSON.stringify(whose)}; expected ${issuers.join(' or ')}`,
    );
  return { kind, value, issuer: whose, digest: digestOf(kind, whose, value) };
}

/** Reads an order. @throws {OrderFault} when it would revoke nothing, or nobody knows what. */
export function readOrder(
  order: RevocationOrder,
  { issuers, longest, nowMs }: OrderTerms,
): OrderedRevocation {
  const named = namedBy(order, issuers);
  if (named.kind === 'sub') return { ...named, ...ofSubject(order.issuedBefore, longest, nowMs) };
  const endMs = Math.min((order.expiresAt ?? Infinity) * 1000, nowMs + longest);
  if (endMs <= nowMs) throw new OrderFault('expiresAt: has passed, so that there is nothing to revoke');
  const token = named.kind === 'jti' ? { jti: named.value, forMs: Math.ceil(endMs - nowMs) } : undefined;
  return { ...named, time: Math.ceil(secondsOf(endMs)), until: new Date(endMs).toISOString(), token };
}

// In whole seconds, rounded up, as the times of tokens are rounded down: who logs in within this second is refused once, rather
// than a stolen token of this second let in.
function ofSubject(
  issuedBefore: number | undefined,
  longest: number,
  nowMs: number,
): Pick<OrderedRevocation, 'time' | 'until' | 'issuedBefore'> {
  const before =
    issuedBefore === undefined ? Math.floor(secondsOf(nowMs)) + 1 : Math.ceil(secondsOf(issuedBefore * 1000));
  if (msOf(before) > nowMs + MOST_AHEAD_MS)
    throw new OrderFault('issuedBefore: expected a time that has come');
  if (before < 1 || msOf(before) + longest <= nowMs)
    throw new OrderFault('issuedBefore: whatever was issued before then has expired');
  const until = new Date(msOf(before) + longest).toISOString();
  return { time: -before, until, issuedBefore: new Date(msOf(before)).toISOString() };
}
