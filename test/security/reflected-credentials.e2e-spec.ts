import { describe, expect, it } from '@jest/globals';
import { parseAnswer, speak, type Answer } from '../support/client.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    {
      id: 'traced',
      match: { path: '/traced' },
      upstream: 'echo',
      policies: { transform: { request: { setHeaders: { 'x-of-the-gateway': 's3cret' } } } },
    },
  ],
});

const SECRETS = [
  'Cookie: a=s3cret',
  'Authorization: Basic s3cret',
  'Proxy-Authorization: Basic s3cret',
  'X-Auth-Token: s3cret',
  'X-Session: s3cret',
  'X_Secret: s3cret',
  'X-Own-Key: s3cret',
];

function trace(fields: readonly string[], body = ''): Promise<Answer> {
  const key = `X-API-Key: ${API_KEY}\r\n`;
  const bytes = `TRACE /traced HTTP/1.1\r\nHost: a\r\n${key}${fields.map((one) => `${one}\r\n`).join('')}\r\n${body}`;
  return speak(holder.shop.gateway.url, bytes).then(parseAnswer);
}

describe('what a TRACE shows to who has made somebody send it', () => {
  it('is no credential, where the gateway answers', async () => {
    const answer = await trace([...SECRETS, 'Max-Forwards: 0', 'X-Own: shown']);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('x-own: shown');
    expect(answer.text).not.toMatch(/s3cret|test-key/);
  });

  it('is no credential, nobody who calls, and nothing of the gateway, where an upstream answers', async () => {
    const answer = await trace([...SECRETS, 'X-Own: shown']);
    const { headers } = answer.json<Echo>();
    expect(headers).toMatchObject({ 'x-own': 'shown', 'x-forwarded-for': '127.0.0.1' });
    expect(answer.text).not.toMatch(/s3cret|test-key|x-client-id|mobile-app/i);
  });

  it('is what it asks for with a credential only', async () => {
    const answer = await speak(
      holder.shop.gateway.url,
      'TRACE /traced HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is no body', async () => {
    const asked = holder.shop.echo.requests.length;
    expect((await trace(['Content-Length: 5'], 'hello')).status).toBe(400);
    expect((await trace(['Transfer-Encoding: chunked'], '0\r\n\r\n')).status).toBe(400);
    expect(holder.shop.echo.requests.length).toBe(asked);
  });
});
