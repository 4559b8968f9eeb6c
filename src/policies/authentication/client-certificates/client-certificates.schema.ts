import { z } from 'zod';
import { NAME_KINDS, PATTERNS, type NameKind } from './certificate-patterns.ts';

/** What an id can be made of. */
export const ID_PARTS = [...NAME_KINDS, 'cn', 'fingerprint'] as const;
/** One of {@link ID_PARTS}. */
export type IdPart = (typeof ID_PARTS)[number];

const MOST_RULES = 1000;
const names = z.array(z.string().min(1));

function pattern(kind: NameKind, expected: string) {
  return z.string().max(2048).refine(PATTERNS[kind], `expected ${expected}`).optional();
}

const match = z
  .strictObject({
    uri: pattern('uri', 'a URI, or one that ends in `/*`').describe(
      'A URI of it, such as `spiffe://shop.example/orders`; `/*` at the end stands for everything below.',
    ),
    dns: pattern('dns', 'a name of DNS, perhaps with `*.` in front').describe(
      'A name of DNS of it; `*.` in front stands for one label.',
    ),
    email: pattern('email', 'an address of mail, or `*@` and a domain').describe(
      'An address of mail of it; `*@` in front of a domain stands for every mailbox.',
    ),
    subject: z
      .record(z.string().regex(/^(?:[A-Za-z][A-Za-z0-9-]*|[0-9.]+)$/), z.string().min(1).max(256))
      .optional()
      .describe('Attributes of its subject, such as `{ CN: orders, O: Shop }`; each has to be there once.'),
    fingerprint: z
      .string()
      .transform((text) => text.replaceAll(':', '').toLowerCase())
      .refine((text) => /^[0-9a-f]{64}$/.test(text), 'expected the SHA-256 of the certificate in hex')
      .optional()
      .describe('Its SHA-256 in hex, with or without colons.'),
  })
  .refine((one) => Object.keys(one.subject ?? { is: '' }).length > 0, 'subject: expected an attribute')
  .refine((one) => Object.values(one).some((said) => said !== undefined), 'expected something to match by');

const id = z
  .string()
  .min(1)
  .max(256)
  .refine(
    (text) => !/[{}]/.test(text.replace(/\{(?:uri|dns|email|cn|fingerprint)\}/g, '')),
    'expected a text, perhaps with {uri}, {dns}, {email}, {cn} or {fingerprint}',
  );

const rights = {
  kind: z
    .enum(['client', 'user'])
    .default('client')
    .describe('Whether it stands for an application or for a person. Default client.'),
  roles: names.default([]).describe('Its roles. Default none.'),
  permissions: names.default([]).describe('Its permissions. Default none.'),
  tenant: z.string().min(1).optional().describe('Its tenant.'),
  tier: z.string().min(1).optional().describe('Its tier of service.'),
};

const rule = z.strictObject({
  match: match.describe('What a certificate has to say, all of it.'),
  id: id.describe(
    'What the caller is called; `{uri}`, `{dns}`, `{email}`, `{cn}` and `{fingerprint}` stand for what the certificate says.',
  ),
  ...rights,
});

const unmapped = z.strictObject({
  id: id
    .refine((text) => text.includes('{'), 'expected one of {uri}, {dns}, {email}, {cn}, {fingerprint}')
    .describe(
      'What the caller is called, such as `{uri}`; a certificate that says none of that, or several, is refused.',
    ),
  ...rights,
});

const forwarded = z.strictObject({
  field: z
    .enum(['x-forwarded-client-cert', 'client-cert'])
    .describe(
      'The field in which `trustedProxies` tell it: that of Envoy, or that of RFC 9440. Of nobody else it is believed.',
    ),
  element: z
    .enum(['first', 'last'])
    .default('last')
    .describe(
      'Which element of x-forwarded-client-cert counts: the `last` is of whoever has spoken to the last proxy; the `first` is of the client only where the first proxy removes what clients send. Default last.',
    ),
});

/** `identity.clientCertificates`: whom certificates of clients stand for. */
export const clientCertificatesSchema = z
  .strictObject({
    rules: z
      .array(rule)
      .max(MOST_RULES)
      .default([])
      .describe('Who holds which certificate; the first rule that matches decides.'),
    unmapped: z
      .union([z.literal('refused'), unmapped])
      .default('refused')
      .describe(
        'What becomes of a certificate that no rule matches: it is `refused`, or the id is made of what it says. Default refused.',
      ),
    forwarded: forwarded
      .optional()
      .describe(
        'Takes the certificate from a field of a proxy that ends TLS. What such a proxy itself holds is then nobody’s credential. Default: from the connection only.',
      ),
  })
  .refine(
    (one) => one.rules.length > 0 || one.unmapped !== 'refused',
    'expected rules, or unmapped: nobody could call',
  )
  .describe('Whom certificates of clients stand for, for the scheme `mtls`.');

/** The parsed `identity.clientCertificates`. */
export type ClientCertificateOptions = z.output<typeof clientCertificatesSchema>;

/** One parsed rule. */
export type CertificateRule = ClientCertificateOptions['rules'][number];

/** How a certificate becomes a caller. */
export type CertificateHolder = Exclude<ClientCertificateOptions['unmapped'], 'refused'>;
