import { describe, expect, it } from '@jest/globals';
import { parseHttpTemplate } from './http-template.ts';

describe(parseHttpTemplate, () => {
  it.each([
    ['/v1/messages', '/v1/messages', []],
    ['/v1/{name=messages/*}', '/v1/messages/{name}', [[['name'], ['messages', 0]]]],
    ['/v1/messages/{message_id}', '/v1/messages/{message_id}', [[['message_id'], [0]]]],
    [
      '/v1/users/{user_id}/messages/{message_id}',
      '/v1/users/{user_id}/messages/{message_id}',
      [
        [['user_id'], [0]],
        [['message_id'], [1]],
      ],
    ],
    ['/v1/{order.id}', '/v1/{order_id}', [[['order', 'id'], [0]]]],
    [
      '/v1/{name=shelves/*/books/*}',
      '/v1/shelves/{name}/books/{name_2}',
      [[['name'], ['shelves', 0, 'books', 1]]],
    ],
    [
      '/v1/{name=shelves/*}/books/{book}',
      '/v1/shelves/{name}/books/{book}',
      [
        [['name'], ['shelves', 0]],
        [['book'], [1]],
      ],
    ],
    ['/v1/{name=**}', '/v1/*', [[['name'], [0]]]],
    ['/v1/{name=shelves/**}', '/v1/shelves/*', [[['name'], ['shelves', 0]]]],
    ['/v1/*/{id}', '/v1/{p}/{id}', [[['id'], [1]]]],
    ['/v1/**', '/v1/*', []],
    ['/v1/orders/{id}:cancel', '/v1/orders/{id}:cancel', [[['id'], [0]]]],
    ['/v1/{name=files/**}:sign', '/v1/files/*:sign', [[['name'], ['files', 0]]]],
    ['/v1/orders:batchGet', '/v1/orders:batchGet', []],
    [
      '/v1/{a.b}/{a_b}',
      '/v1/{a_b}/{a_b_2}',
      [
        [['a', 'b'], [0]],
        [['a_b'], [1]],
      ],
    ],
  ] as const)('reads %s', (source, pattern, variables) => {
    expect(parseHttpTemplate(source)).toEqual({
      pattern,
      variables: variables.map(([field, parts]) => ({ field, parts })),
    });
  });

  it.each([
    ['v1/messages', 'expected a path that starts with "/"'],
    ['/v1//x', 'got ""'],
    ['/v1/', 'got ""'],
    ['/v1/{}', 'expected {field} or {field=segments}'],
    ['/v1/{id', 'expected "}"'],
    ['/v1/{id}x', 'expected "}"'],
    ['/v1/x{id}', 'got "x{id}"'],
    ['/v1/{a..b}', 'expected {field} or {field=segments}'],
    ['/v1/{a={b}}', 'expected'],
    ['/v1/{a=}', 'got ""'],
    ['/v1/{id}/{id}', 'the variable {id} stands twice'],
    ['/v1/**/x', 'expected "**" only as the last segment'],
    ['/v1/{name=**}/x', 'expected "**" only as the last segment'],
    ['/v1/a*b', 'got "a*b"'],
  ])('refuses %s', (source, message) => {
    expect(() => parseHttpTemplate(source)).toThrow(message);
  });
});
