import { afterEach, describe, expect, it } from '@jest/globals';
import {
  learnEnvironment,
  learnFileText,
  learnSecret,
  learnVariables,
  redacted,
  redactedFields,
} from './redaction.ts';
import { isSecretField, maySayASecret, redactNames } from './secret-names.ts';

afterEach(() => redactNames([]));

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${part({ alg: 'RS256' })}.${part({ sub: 'u' })}.c2lnbmF0dXJl`;
const KEY = `gh_live_${'k'.repeat(43)}_a1B2c3`;
const PEM = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----';

describe('redacted', () => {
  it.each([
    ['a token', `refused ${JWT}!`, 'refused [redacted]!'],
    ['an encrypted token', `${part({ enc: 'A' })}.a.b.c.d`, '[redacted]'],
    ['a token of alg none', `${part({ alg: 'none' })}.${part({})}.`, '[redacted]'],
    ['an API key', `key ${KEY} is`, 'key [redacted] is'],
    ['a bearer token', 'Authorization: Bearer abcd.efg=', 'Authorization: Bearer [redacted]'],
    ['a password', 'basic dXNlcjpwYXNz', 'basic [redacted]'],
    ['user information', 'at redis://me:pa:ss@host:6379/0', 'at redis://[redacted]@host:6379/0'],
    ['a password with an @', 'http://u:p@ss@host/x', 'http://[redacted]@host/x'],
    ['a private key', `x ${PEM} y`, 'x [redacted] y'],
    ['a private key within JSON', JSON.stringify({ a: PEM }), '{"a":"[redacted]"}'],
    ['a private key that was cut', PEM.slice(0, 40), '[redacted]'],
    ['a parameter', '/x?a=1&access_token=abc&b=2', '/x?a=1&access_token=[redacted]&b=2'],
    ['a parameter with an encoded name', '/x?%74oken=abc', '/x?%74oken=[redacted]'],
  ])('hides %s', (_what, text, shown) => {
    expect(redacted(text)).toBe(shown);
  });

  it.each([
    'http://127.0.0.1:4101/users?page=2',
    'basic auth is not bearer auth',
    '{"key":"routes[a].policies.rateLimit.key","file":"a.yaml"}',
    'mail me@example.com',
    'www-authenticate: Bearer realm="gatehouse", ApiKey realm="gatehouse"',
  ])('leaves %p', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('hides what was learned, also within JSON', () => {
    learnSecret('two "words" of it');
    learnEnvironment({
      REDIS_URL: 'redis://:opensesame1@h:1',
      ADMIN_PASSWORD: 'hunter2hunter2',
      HOME: '/home/somebody',
    });
    const line = JSON.stringify(['two "words" of it', 'opensesame1', 'hunter2hunter2', '/home/somebody']);
    expect(redacted(line)).toBe('["[redacted]","[redacted]","[redacted]","/home/somebody"]');
  });

  it('learns the variables that a configuration names', () => {
    learnVariables(
      { upstreams: [{ sticky: { secretEnv: 'COOKIE_SALT' } }] },
      { COOKIE_SALT: 'saltsaltsalt' },
    );
    expect(redacted('saltsaltsalt')).toBe('[redacted]');
    learnVariables({ login: { session: { keysEnv: 'RING' } } }, { RING: 'the-newest-one, the-older-one' });
    expect(redacted('"the-older-one"')).toBe('"[redacted]"');
  });

  it('learns what files hold, each line, but private keys, which it knows', () => {
    learnFileText('first-of-a-file\r\nsecond-of-a-file,third-of-a-file\n');
    for (const one of ['first', 'second', 'third']) expect(redacted(`${one}-of-a-file`)).toBe('[redacted]');
    learnFileText('-----BEGIN PRIVATE KEY-----\nlineoftext\n-----END PRIVATE KEY-----\n');
    expect(redacted('lineoftext')).toBe('lineoftext');
  });

  it('learns nothing that is too short to be told from other words', () => {
    learnSecret('seven77');
    expect(redacted('seven77')).toBe('seven77');
  });

  it('takes no time that grows with the square of a text', () => {
    for (const one of [
      'eyJ',
      '-eyJ',
      'eyJaaaaaa-',
      'eyJaaaaaa.',
      'eyJaaaaaa.-',
      'gh_live_',
      '://',
      'a.',
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN ',
      '?a=',
      '?a',
      'bearer ',
      'bearer -',
      'a://b@',
      '@',
      ' ',
    ])
      // prettier-ignore
      expect(redacted(one.repeat(400_000 / one.length)).length).toBeGreaterThan(0);
  });

  it('leaves what only begins like a token, and hides one behind it', () => {
    expect(redacted('eyJhbGciOi-eyJhbGciOi and more')).toBe('eyJhbGciOi-eyJhbGciOi and more');
    expect(redacted(`eyJhbGciOi ${JWT} eyJhbGciOi.x`)).toBe('eyJhbGciOi [redacted] eyJhbGciOi.x');
    expect(redacted(`file-${JWT}`)).toBe('file-[redacted]');
  });
});

describe('the names', () => {
  it('are wide for what others say, and exact for what we say', () => {
    expect(['x-api-key', 'Session-Id', '%74oken', 'sso_badge'].map(maySayASecret)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(['client_secret', 'Set-Cookie', 'key', 'keys'].map(isSecretField)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('grow by those of the configuration', () => {
    redactNames(['SSO-Badge']);
    expect([maySayASecret('sso_badge'), isSecretField('ssoBadge')]).toEqual([true, true]);
    expect(redactedFields({ a: [{ ssoBadge: 1, b: 2 }] })).toEqual({
      a: [{ ssoBadge: '[redacted]', b: 2 }],
    });
  });

  it('are the wide ones within what maps names of others, at any depth', () => {
    const said = { key: 'principal', request: { setHeaders: { 'x-partner-key': 'abc', accept: 'a/b' } } };
    expect(redactedFields(said)).toEqual({
      key: 'principal',
      request: { setHeaders: { 'x-partner-key': '[redacted]', accept: 'a/b' } },
    });
    let deep: object = { password: 'abc' };
    for (let i = 0; i < 12; i += 1) deep = { deep };
    expect(JSON.stringify(redactedFields(deep))).not.toContain('abc');
  });

  it('leave fields without secrets as they are', () => {
    const fields = { a: [1, { b: 'x' }], token: undefined };
    expect(redactedFields(fields)).toBe(fields);
  });

  it('leaves JSON within JSON what it is', () => {
    const line = JSON.stringify({ path: '/a?token=', status: 200 });
    const text = JSON.stringify({ line, other: '/b?token=abc' });
    expect(JSON.parse(redacted(text))).toEqual({ line, other: '/b?token=[redacted]' });
    expect(redacted(String.raw`/a?token=x\y&z=1`)).toBe('/a?token=[redacted]&z=1');
  });
});
