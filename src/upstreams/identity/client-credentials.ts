import { randomUUID } from 'node:crypto';
import { signedToken, type SigningKey } from '../../signing/signing-key.ts';
import type { ExchangeOptions } from './exchange.schema.ts';

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFE_S = 60;

/** By what the gateway shows an issuer who it is: a secret, or a key. */
export type ClientCredential = { readonly secret: string } | { readonly key: SigningKey };

/**
 * Adds to a form who sends it (RFC 6749 section 2.3.1, RFC 7523 section 2.2).
 *
 * @returns the value of `Authorization`, if that says it.
 */
export function authenticate(
  form: URLSearchParams,
  { url, clientId, clientAuth }: ExchangeOptions,
  credential: ClientCredential,
): string | undefined {
  if ('secret' in credential && clientAuth === 'client_secret_basic') {
    const pair = `${formEncoded(clientId)}:${formEncoded(credential.secret)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  form.set('client_id', clientId);
  if ('secret' in credential) form.set('client_secret', credential.secret);
  else {
    const iat = Math.floor(Date.now() / 1000);
    const who = { iss: clientId, sub: clientId, aud: url, jti: randomUUID() };
    const claims = { ...who, iat, exp: iat + ASSERTION_LIFE_S };
    form.set('client_assertion_type', ASSERTION);
    form.set('client_assertion', signedToken(credential.key, 'JWT', claims));
  }
  return undefined;
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
