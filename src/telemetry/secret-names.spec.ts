import { expect, it } from '@jest/globals';
import { maySayASecret } from './secret-names.ts';

it.each([
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'Set-Cookie',
  'api_key',
  'apiKey',
  'access_token',
  'id%5Ftoken',

  'sig',
  'x-sig',
  'reqSig',
  'X-Amz-Signature',
  'x-csrf',
  'x-csrf-token',
  'XSRF',
  'pw',
  'x-pw',
  'userPw',
  'x-pw-2',

  'pwd',
  'password',
  'passphrase',
  'otp',
  'x-otp',
  'code',
  'oauth_code',
  'sid',
  'SAMLResponse',
  'client_assertion',
])('what is called %s may be a secret', (name) => expect(maySayASecret(name)).toBe(true));

it.each([
  'accept',
  'content-type',
  'page',
  'design',
  'signal',
  'spin',
  'decode',
  'encoding',
  'machine',
  'lang',
  '%',
  'q',
])('what is called %s is none', (name) => expect(maySayASecret(name)).toBe(false));
