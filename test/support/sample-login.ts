import { SAMPLE_CLIENT } from '../../examples/services/identity-login.ts';

/** Where browsers find the gateway; the sample provider sends them to this machine only. */
export const APP = 'http://localhost';

/** The `identity.login` for the sample provider; its secrets get into the environment of the spec. */
export function sampleLogin(issuer: string): object {
  process.env['SESSION_KEYS'] = 'a-secret-of-the-sessions-for-tests-only';
  process.env['CLIENT_SECRET'] = SAMPLE_CLIENT.secret;
  return {
    issuer,
    clientId: SAMPLE_CLIENT.id,
    clientSecretEnv: 'CLIENT_SECRET',
    publicOrigin: APP,
    claims: { tenant: 'tid' },
    session: { keysEnv: 'SESSION_KEYS' },
  };
}
