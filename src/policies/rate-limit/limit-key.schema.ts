import { isIP } from 'node:net';
import { z } from 'zod';
import { compileText } from '../../conditions/condition.ts';
import { TOKEN } from '../../config/field-name.ts';
import { addressBlock, addressPrefix } from '../../exchange/address-block.ts';

/** Whose limit a rule means, where a word says it. */
export const RATE_LIMIT_KEYS = ['ip', 'principal', 'apiKey', 'tenant', 'route', 'global'] as const;

const MOST_PARTS = 5;
const LONGEST_NAME = 128;

/** Refuses an expression that cannot be compiled, as far as that can be told without a route. */
export function celOf(compile: (expression: string) => unknown, description: string) {
  return z
    .string()
    .superRefine((text, context) => {
      try {
        compile(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
    })
    .describe(description);
}

const part = z.union([
  z.enum(RATE_LIMIT_KEYS),
  z.strictObject({
    ip: z
      .strictObject({
        ipv6: z
          .int()
          .min(16)
          .max(128)
          .default(64)
          .describe('Bits of an IPv6 address that count. Default 64.'),
        ipv4: z.int().min(8).max(32).default(32).describe('Bits of an IPv4 address that count. Default 32.'),
      })
      .describe('The client address, as far as these bits.'),
  }),
  z.strictObject({
    header: z
      .string()
      .regex(TOKEN, 'expected the name of a header field')
      .toLowerCase()
      .describe('The value of this header field, which clients choose.'),
  }),
  z.strictObject({
    claim: z.string().min(1).max(LONGEST_NAME).describe('The value of this claim of the token.'),
  }),
  z.strictObject({
    query: z
      .string()
      .min(1)
      .max(LONGEST_NAME)
      .describe('The value of this parameter of the query, which clients choose.'),
  }),
  z.strictObject({
    cel: celOf(
      compileText,
      'An expression in CEL that says whose, over principal, request, route, params, client and now.',
    ),
  }),
]);

/** Whose limit a rule means: one thing, or several together. */
export const limitKeySchema = z.union([
  part,
  z
    .array(part)
    .min(1)
    .max(MOST_PARTS)
    .superRefine((parts, context) => {
      parts.forEach((one, index) => {
        const message = idlePart(parts, one, index);
        if (message !== undefined) context.addIssue({ code: 'custom', message, path: [index] });
      });
    }),
]);

/** Why a part of a list tells nobody from anybody; undefined when it does. */
function idlePart(parts: readonly KeyPart[], one: KeyPart, index: number): string | undefined {
  if (one === 'global' && parts.length > 1)
    return 'expected no `global` beside others: it is the same for everybody';
  const before = parts.slice(0, index);
  if (keyName(one) === 'ip' && before.some((other) => keyName(other) === 'ip'))
    return 'expected one address: the client has no other';
  return before.some((other) => keyText(other) === keyText(one))
    ? 'expected something else than a part before it'
    : undefined;
}

/** A part of a key. */
export type KeyPart = z.output<typeof part>;

/** A parsed key. */
export type LimitKey = z.output<typeof limitKeySchema>;

/** The key in a word, as clients and operators see it. */
export function keyName(key: LimitKey): string {
  if (Array.isArray(key)) return key.map(keyName).join('+');
  return typeof key === 'string' ? key : (Object.keys(key)[0] ?? '');
}

/** All that a key says, as a text without colons and braces: what means the same is spelled the same. */
export function keyText(key: LimitKey): string {
  if (Array.isArray(key)) return key.map(keyText).join('+');
  if (typeof key === 'string') return key;
  const said: unknown = Object.values(key)[0];
  const text = typeof said === 'object' && said !== null ? Object.values(said).join('/') : String(said);
  return `${keyName(key)}=${encodeURIComponent(text.toWellFormed())}`;
}

const CALLERS = ['user:', 'client:', 'ip:'] as const;
const BEGINNINGS: Readonly<Record<Extract<KeyPart, string>, readonly string[]>> = {
  ip: ['ip:'],
  principal: CALLERS,
  apiKey: ['key:', 'ip:'],
  tenant: ['tenant:', ...CALLERS],
  route: ['route:'],
  global: ['all'],
};

/** How what a part of a key is counted under can begin. */
function beginningsOf(part: KeyPart): readonly string[] {
  if (typeof part === 'string') return BEGINNINGS[part];
  return 'ip' in part ? BEGINNINGS.ip : [`${keyName(part)}:`, ...CALLERS];
}

/** What is wrong with a name that somebody may be counted under by a key; undefined for nothing. */
export function nameFault(
  key: LimitKey,
  name: string,
): { expected: string; suggestion?: string } | undefined {
  const parts = Array.isArray(key) ? key : [key];
  const said = name.split('|');
  const isOne =
    said.length === parts.length &&
    parts.every((part, i) => beginningsOf(part).some((beginning) => said[i]?.startsWith(beginning)));
  if (!isOne) {
    const shape = parts.map((part) => beginningsOf(part)[0] ?? '').join('…|');
    return { expected: `what this key counts somebody under, such as \`${shape}…\`` };
  }
  const counted = said.map((one, i) => countedAs(parts[i] as KeyPart, one));
  if (counted.every((one, i) => one === said[i])) return undefined;
  if (counted.includes(undefined))
    return { expected: 'an address behind `ip:`, and the id or the hash of a key behind `key:`' };
  return { expected: 'an address as this key counts it', suggestion: counted.join('|') };
}

const KEY_NAME = /^key:(?:[0-9a-f]{16}|[0-9a-f]{64})$/;

/** How somebody with such a name is counted; undefined for nobody. */
function countedAs(part: KeyPart, said: string): string | undefined {
  if (said.startsWith('key:')) return KEY_NAME.test(said) ? said : undefined;
  if (!said.startsWith('ip:')) return said;
  const [address = '', , ...rest] = said.slice('ip:'.length).split(/(\/)/);
  if (isIP(address) === 0 || !/^\d*$/.test(rest.join(''))) return undefined;
  const { ipv4, ipv6 } = typeof part === 'object' && 'ip' in part ? part.ip : { ipv4: 32, ipv6: undefined };
  return `ip:${ipv6 === undefined ? addressBlock(address) : addressPrefix(address, ipv4, ipv6)}`;
}
