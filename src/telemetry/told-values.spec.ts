import { describe, expect, it } from '@jest/globals';
import { toldField, toldJson, toldText } from './told-values.ts';

describe('a text', () => {
  it.each([
    ['mutation { login(password: "s3c\\"ret") { id } }', 'mutation { login(password: "(hidden)") { id } }'],
    ['{ a(pin: 1234, id: 5) }', '{ a(pin: (hidden), id: 5) }'],
    ['{ a(secret: """s3\n"cret""", b: 1) }', '{ a(secret: "(hidden)", b: 1) }'],
    ['query ($token: String! = "s3cret") { a }', 'query ($token: String! = "(hidden)") { a }'],
    ['query ($token: String!) { a(token: $token) }', 'query ($token: String!) { a(token: $token) }'],
    ['password=s3cret&page=2', 'password=(hidden)&page=2'],
    ['page=2&password=s3cret', 'page=2&password=(hidden)'],
    ["apiKey = 's3cret'", "apiKey = '(hidden)'"],
    ['"password" : "s3cret', '"password" : "(hidden)"'],
    ['{"payload":{"password":"s3cret","a":1}}', '{"payload":{"password":"(hidden)","a":1}}'],
    ['["{\\"token\\":\\"s3cret\\"}"]', '["{\\"token\\":\\"(hidden)\\"}"]'],
    ['the key is here: look', 'the key is here: look'],
    ['bearer of news, Bearer s3cret', 'bearer of news, Bearer [redacted]'],
    ['', ''],
  ])('%j is told as %j', (text, told) => expect(toldText(text)).toBe(told));

  it('takes no time that grows with the square of it', () => {
    for (const one of ['a:', 'a:"', "a='", 'a="\\', 'a = ', 'a:[b!]!=', '"""', 'a:"""', 'a-', 'a: b ', 'a', '\\"', '{', '[{'])
      expect(typeof toldText(one.repeat(300_000 / one.length))).toBe('string');
  }); // prettier-ignore
});

describe('JSON', () => {
  it('is told without values whose names stand beside them', () => {
    const given = [
      { name: 'password', value: 's3cret' },
      { key: 'X-Api-Key', val: 's3cret' },
      { header: 'Cookie', values: ['s3cret'] },
      { name: 'color', value: 'red' },
    ];
    expect(toldJson(given)).toEqual([
      { name: 'password', value: '(hidden)' },
      { key: '(hidden)', val: '(hidden)' },
      { header: 'Cookie', values: '(hidden)' },
      { name: 'color', value: 'red' },
    ]);
  });

  it('keeps the rest as it was, members called as what all objects have included', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"b":[true,null,{"token":"x"}],"c":"text"}') as object;
    expect(JSON.stringify(toldJson(value))).toBe(
      '{"__proto__":{"a":1},"b":[true,null,{"token":"(hidden)"}],"c":"text"}',
    );
  });

  it('hides what is too deep to be looked at, also as text within text', () => {
    let deep: unknown = 'bottom';
    for (let level = 0; level < 20; level += 1) deep = { deep };
    expect(JSON.stringify(toldJson(deep))).not.toContain('bottom');
    let text = 'bottom';
    for (let level = 0; level < 8; level += 1) text = JSON.stringify({ text, password: 's3cret' });
    expect(toldText(text)).not.toContain('s3cret');
  });
});

describe('a header field', () => {
  it.each([
    ['Sec-WebSocket-Protocol', 'graphql-transport-ws, bearer.s3cret', 'graphql-transport-ws, (hidden)'],
    ['sec-websocket-protocol', 'base64url.bearer.authorization.k8s.io.s3cret,json', '(hidden), json'],
    ['Host', 'me:s3cret@shop.example', 'shop.example'],
    ['Origin', 'https://me:s3cret@shop.example', 'https://[redacted]@shop.example'],
    ['X-Note', 'token=s3cret', 'token=(hidden)'],
    ['Accept', 'text/html;q=0.9', 'text/html;q=0.9'],
  ])('%s: %s is told as %s', (name, value, told) => expect(toldField(name, value)).toBe(told));
});
