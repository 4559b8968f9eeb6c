import { z } from 'zod';
import { httpUrl, urlText } from '../../config/url.ts';

/** What a scope is made of (RFC 6749 section 3.3). */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'expected a scope of visible ASCII without quotes and backslashes');

const resourceUrl = urlText({
  schemes: ['http', 'https'],
  example: 'https://api.example.com',
  rest: 'anything',
})
  .refine((text) => !/[?"]/.test(text), 'expected no query in the URL')
  .refine((text) => {
    const path = URL.parse(text)?.pathname ?? '/';
    return path === '/' || !path.endsWith('/');
  }, 'expected no slash at the end of the path')
  .refine(
    (text) => !/[*{}%]|\/\/|\/\.{1,2}(?:\/|$)/.test(text.replace(/^https?:\/\//, '')),
    'expected a plain path',
  );

const resource = z.strictObject({
  url: resourceUrl.describe(
    'The identifier of the resource, as clients know it: where they reach the gateway, and a path. Told as it is written.',
  ),
  authorizationServers: z
    .array(httpUrl)
    .optional()
    .describe(
      'Issuers that clients get tokens from. Default: those of `issuers` and `introspection` that are URLs.',
    ),
  scopes: z.array(scope).default([]).describe('Scopes that clients may ask for. Default none are told.'),
  name: z.string().min(1).optional().describe('What people call the resource.'),
  documentation: httpUrl.optional().describe('URL of its documentation for developers.'),
});

/** `identity.resources`: what clients are told of where to get tokens (RFC 9728). */
export const resourcesSchema = z
  .array(resource)
  .max(100)
  .default([])
  .describe(
    'Protected resources whose metadata is served below `/.well-known/oauth-protected-resource` (RFC 9728), and named in challenges. Default none.',
  );
