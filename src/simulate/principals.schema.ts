import { z } from 'zod';

const text = z.string().min(1);
const names = z.array(text);
const claims = z.record(z.string(), z.unknown());

const apiKey = z.strictObject({
  clientId: text.describe('The application that holds the key.'),
  roles: names.default([]),
  permissions: names.default([]),
  scopes: names.default([]),
  tier: text.optional(),
  tenant: text.optional(),
});

const principal = z
  .strictObject({
    claims: claims
      .optional()
      .describe('Claims of a token, which is signed anew for each test. Default of `iss`, `aud`, `iat`, `exp`: those that the configuration accepts, for an hour.'),
    introspected: claims
      .optional()
      .describe('What the authorization server says of a token when it is asked.'),
    apiKey: z
      .union([text.transform((clientId) => ({ clientId, isListed: true as const })), apiKey])
      .optional()
      .describe('The client id of a key of `identity.apiKeys`, or what a key of Redis would say.'),
    session: claims
      .optional()
      .describe('Claims of somebody who has logged in with a browser.'),
    certificate: text
      .optional()
      .describe('File with a certificate (PEM) that the client has proved to be its own; from the working directory. No key is needed.'),
  })
  .refine((given) => Object.values(given).some((one) => one !== undefined), 'expected one of claims, introspected, apiKey, session, certificate'); // prettier-ignore

/** Callers, by name. */
export const principals = z.record(text, principal);

/** One caller. */
export type TestPrincipal = z.output<typeof principal>;
/** An API key that is not in the configuration. */
export type TestApiKey = z.output<typeof apiKey>;
