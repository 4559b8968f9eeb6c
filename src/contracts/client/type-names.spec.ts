import { describe, expect, it } from '@jest/globals';
import { camelCase, comment, key, pascalCase } from './type-names.ts';

describe('names', () => {
  it.each([
    ['orders.create-many', 'ordersCreateMany', 'OrdersCreateMany'],
    ['shop.v1.Order', 'shopV1Order', 'ShopV1Order'],
    ['user-feed', 'userFeed', 'UserFeed'],
    ['2fa', '_2fa', '_2fa'],
    ['---', '_', '_'],
  ])('%s is %s or %s', (name, camel, pascal) => {
    expect([camelCase(name), pascalCase(name)]).toEqual([camel, pascal]);
  });

  it('quotes keys that are no identifiers', () => {
    expect([key('a$1'), key('x-y'), key('1'), key('"')]).toEqual(['a$1', '"x-y"', '"1"', '"\\""']);
  });

  it('breaks a comment where its text has lines', () => {
    expect(comment('a\nb\u2028c', ' ')).toBe(' /**\n  * a\n  * b\n  * c\n  */\n');
    expect(comment(undefined, ' ')).toBe('');
  });
});
