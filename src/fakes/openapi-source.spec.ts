import { describe, expect, it } from '@jest/globals';
import type { Received } from '../simulate/received.ts';
import { openapiSource } from './openapi-source.ts';

const json = (schema: object): object => ({ content: { 'application/json': { schema } } });
const USER = { properties: { id: { type: 'string' }, email: { type: 'string', format: 'email' } } };
const DOCUMENT = {
  openapi: '3.1.0',
  servers: [{ url: 'https://api.example.com/v2' }],
  paths: {
    '/users/{id}': {
      get: { responses: { 404: json({}), 200: { $ref: '#/components/responses/User' } } },
      delete: { responses: { 204: { description: 'gone' } } },
    },
    '/users/me': { get: { responses: { '2XX': json({ const: 'me' }) } } },
    '/users': {
      post: { responses: { 201: { ...json(USER), headers: { Location: { schema: { example: '/users/7' } } } } } },
      get: { responses: { default: { content: { 'text/plain': { example: 'several' } } } } },
    },
  },
  components: { responses: { User: json({ $ref: '#/components/schemas/User' }) }, schemas: { User: USER } },
}; // prettier-ignore

const source = openapiSource(DOCUMENT, 'users.yaml');
const ask = (method: string, path: string) =>
  source.answer({ method, path, upstream: 'users', target: '', headers: {}, body: '' } satisfies Received);

describe(openapiSource, () => {
  it.each([
    ['GET', '/users/7?full=1', 200, '{"id":"7","email":"ann@example.com"}'],
    ['HEAD', '/users/7', 200, '{"id":"7","email":"ann@example.com"}'],
    ['GET', '/v2/users/a%20b', 200, '{"id":"a b","email":"ann@example.com"}'],
    ['GET', '/users/me', 200, '"me"'],
    ['POST', '/users', 201, '{"id":"id","email":"ann@example.com"}'],
    ['GET', '/users', 200, 'several'],
    ['DELETE', '/users/7', 204, undefined],
  ])('answers %s %s by the first success that is described', async (method, path, status, body) => {
    expect(await ask(method, path)).toMatchObject(body === undefined ? { status } : { status, body });
  });

  it('says the fields that are described', async () => {
    const { headers } = await ask('POST', '/users');
    expect(headers).toEqual({ location: '/users/7', 'content-type': 'application/json' });
  });

  it.each([
    ['GET', '/orders'],
    ['PUT', '/users/7'],
    ['GET', '/users/7/orders'],
  ])('says that there is no %s %s', async (method, path) => {
    const { status, body } = await ask(method, path);
    expect([status, JSON.parse(String(body))]).toEqual([
      404,
      expect.objectContaining({ detail: `users.yaml has no ${method} ${path}` }),
    ]);
  });

  it('refuses what is no such document', () => {
    expect(() => openapiSource({ swagger: '2.0' }, 'old.yaml')).toThrow(
      'old.yaml: expected `openapi` 3.0 or 3.1, found none',
    );
  });
});
