import { z } from 'zod';
import { TOKEN } from '../../../config/field-name.ts';
import { duration, pageOrigin } from '../../../config/units.ts';
import { urlFault } from '../../../config/url.ts';
import { checkSecretPlaces, secretFileName } from '../../../config/secret-places.ts';
import { variableName } from '../../../config/variable-name.ts';
import type { claimNames } from '../issuer-options.schema.ts';

const ISSUER = { schemes: ['http', 'https'], example: 'https://id.example.com/', rest: 'slash' } as const;
const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** What the gateway itself says in the request of a log-in. */
const OURS =
  /^(?:client_id|client_secret|code_challenge|code_challenge_method|nonce|redirect_uri|request|request_uri|response_mode|response_type|scope|state)$/;

function between(fromMs: number, toMs: number, text: string) {
  return duration.refine((ms) => ms >= fromMs && ms <= toMs, `expected a duration between ${text}`);
}

/** Codes, tokens and cookies travel there: in the clear they are anybody's, but on the machine itself. */
function isSecure(text: string): boolean {
  const url = URL.parse(text);
  return url === null || url.protocol === 'https:' || LOOPBACK.test(url.hostname);
}

const SECURE = 'expected https; http only for a loopback address';

const issuer = z.string().superRefine((text, context) => {
  const message = urlFault(text, { ...ISSUER, rest: 'anything' }) ?? (isSecure(text) ? undefined : SECURE);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const path = z
  .string()
  .regex(/^\/[A-Za-z0-9._~/-]*$/, 'expected a path, such as /login')
  .refine((text) => !/\/\/|\/\.{1,2}(?:\/|$)/.test(text), 'expected a path in its normal form');

const paths = z
  .strictObject({
    login: path
      .default('/login')
      .describe('Where a log-in begins; `?return=/path` says where it ends. Default /login.'),
    callback: path
      .default('/login/callback')
      .describe('Where the provider sends the browser back to. Default /login/callback.'),
    logout: path.default('/logout').describe('Ends the session. Default /logout.'),
    backChannel: path
      .default('/logout/backchannel')
      .describe('Where the provider tells of sessions that have ended. Default /logout/backchannel.'),
    session: path.default('/session').describe('Tells a page who is logged in. Default /session.'),
    home: path.default('/').describe('Where a log-in ends that does not say where. Default /.'),
    loggedOut: path.default('/').describe('Where a log-out ends. Default /.'),
  })
  .superRefine(({ home: _home, loggedOut: _loggedOut, ...ours }, context) => {
    const names = Object.keys(ours) as (keyof typeof ours)[];
    for (const [index, name] of names.entries())
      if (names.slice(0, index).some((other) => ours[other] === ours[name]))
        context.addIssue({ code: 'custom', path: [name], message: 'expected a path of its own' });
  });

const sessionKeys = {
  store: z
    .enum(['cookie', 'redis'])
    .default('cookie')
    .describe(
      'Where sessions are: in encrypted cookies, or in Redis, encrypted under what only the cookie holds. Default cookie.',
    ),
  keysEnv: variableName
    .optional()
    .describe(
      'Name of the environment variable with the secrets that sessions are encrypted with, separated by commas, 32 characters or more each: the first one encrypts, all of them decrypt.',
    ),
  keysFile: secretFileName
    .optional()
    .describe(
      'The same from a file, a secret in each line; from the working directory. A change is taken over.',
    ),
  cookie: z
    .string()
    .regex(TOKEN, 'expected the name of a cookie')
    .max(64)
    .refine((name) => !name.startsWith('__'), 'expected no prefix: the gateway puts it in front')
    .default('gatehouse')
    .describe('Name of the cookies, behind `__Host-Http-`. Default gatehouse.'),
  idle: between(60_000, 30 * 86_400_000, '1m and 30d')
    .prefault('30m')
    .describe('How long a session lives that nobody uses. Default 30m.'),
  absolute: between(60_000, 365 * 86_400_000, '1m and 365d')
    .prefault('8h')
    .describe(
      'How long a session lives at most; `identity.revocation.longest` has to be as long. Default 8h.',
    ),
};

const session = z.strictObject(sessionKeys).superRefine((given, context) => {
  const fault = (path: string[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  checkSecretPlaces(given, ['keysEnv', 'keysFile'], fault, true);
});

const logout = z.strictObject({
  atProvider: z
    .boolean()
    .default(true)
    .describe('Whether a log-out goes on to the provider, where it has such a place. Default true.'),
  requireExp: z
    .boolean()
    .default(true)
    .describe('Whether logout tokens need an `exp`; some old providers send none. Default true.'),
});

/** The provider, and what the gateway is to it. */
const client = {
  issuer: issuer.describe('The OpenID provider, exactly as its metadata and its tokens spell it.'),
  clientId: z.string().min(1).describe('What the gateway is called there.'),
  clientSecretEnv: variableName
    .optional()
    .describe('Name of the environment variable with the secret of the client. Default: it has none.'),
  clientSecretFile: secretFileName
    .optional()
    .describe('File with that secret, from the working directory; a change is taken over.'),
  clientAuthentication: z
    .enum(['basic', 'post'])
    .default('basic')
    .describe('How the secret is shown. Default basic.'),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]+$/, 'expected a scope'))
    .refine((scopes) => scopes.includes('openid'), 'expected `openid` among them')
    .default(['openid'])
    .describe('What is asked for; `offline_access` gets refresh tokens from many providers. Default openid.'),
  parameters: z
    .record(
      z
        .string()
        .regex(/^\w+$/)
        .refine((name) => !OURS.test(name), 'is for the gateway to say'),
      z.string().max(1024),
    )
    .default({})
    .describe('More parameters of the request, such as `audience`, `resource` or `prompt`. Default none.'),
  pkce: z
    .enum(['advertised', 'unadvertised'])
    .default('advertised')
    .describe(
      'PKCE is always used; `unadvertised` accepts a provider that does not say that it checks it. Default advertised.',
    ),
  timeout: between(100, 30_000, '100ms and 30s')
    .prefault('5s')
    .describe('How long the provider may take to answer. Default 5s.'),
};

/** What browsers see of it. */
const face = {
  publicOrigin: pageOrigin
    .refine(isSecure, SECURE)
    .describe('Where browsers find the gateway, such as https://app.example.com.'),
  origins: z
    .array(pageOrigin)
    .default([])
    .describe('Other origins whose pages may call with a session. Default none.'),
  paths: paths.prefault({}).describe('The paths that the log-in answers.'),
  session: session.describe('Where sessions are, and how long they live.'),
  logout: logout.prefault({}).describe('What a log-out does.'),
};

/** `identity.login`: log-in of browsers, so that pages never hold a token. */
export function loginSchema(claims: typeof claimNames) {
  return z
    .strictObject({
      ...client,
      ...face,
      principal: z
        .enum(['idToken', 'accessToken'])
        .default('idToken')
        .describe(
          'Which token says who the caller is; the access token has to be one that `issuers` accept. Default idToken.',
        ),
      claims: claims
        .optional()
        .describe('Where the token says what. Default: as the same issuer has it under `issuers`.'),
      idPrefix: z
        .string()
        .max(64)
        .regex(/^(?:[!-~]*[^0-9A-Za-z])?$/, 'expected visible ASCII that ends in a separator, such as acme:')
        .optional()
        .describe('Put before the ids of users. Default: as the same issuer has it under `issuers`.'),
    })
    .superRefine((given, context) => {
      const fault = (path: string[], message: string): void =>
        context.addIssue({ code: 'custom', path, message });
      checkSecretPlaces(given, ['clientSecretEnv', 'clientSecretFile'], fault);
    })
    .describe('Logs browsers in, so that pages never hold a token. Default: it does not.');
}

/** The parsed `identity.login`. */
export type LoginOptions = z.output<ReturnType<typeof loginSchema>>;
