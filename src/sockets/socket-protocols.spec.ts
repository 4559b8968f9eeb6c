import { describe, expect, it } from '@jest/globals';
import { bearerOfProtocols } from './socket-protocols.ts';

describe(bearerOfProtocols, () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['grpc.json', undefined],
    ['bearer.', undefined],
    ['xbearer.a', undefined],
    ['grpc.json, bearer.a.b.c', 'a.b.c'],
    ['bearer.a-_.b,grpc.json', 'a-_.b'],
    ['bearer.first, bearer.second', 'first'],
  ])('finds in %j the token %j', (header, token) => {
    expect(bearerOfProtocols(header)).toBe(token);
  });
});
