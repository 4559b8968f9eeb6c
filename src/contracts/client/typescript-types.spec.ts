import { describe, expect, it } from '@jest/globals';
import type { JsonSchema } from '../openapi.ts';
import { camelCase, comment, key, pascalCase, TypeWriter } from './typescript-types.ts';

const types = new TypeWriter(new Map([['shop.v1.Order', 'ShopV1Order']]));
const flat = (schema: JsonSchema | boolean | undefined): string => types.type(schema).replace(/\s+/g, ' ');

describe('TypeWriter', () => {
  it.each<[JsonSchema | boolean | undefined, string]>([
    [undefined, 'unknown'],
    [true, 'unknown'],
    [{}, 'unknown'],
    [{ type: 'string' }, 'string'],
    [{ type: 'integer' }, 'number'],
    [{ type: 'boolean' }, 'boolean'],
    [{ type: 'null' }, 'null'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ const: 'a"b' }, '"a\\"b"'],
    [{ enum: ['a', 1, null] }, '"a" | 1 | null'],
    [{ type: 'array', items: { type: 'string' } }, 'readonly string[]'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, 'readonly ("a" | "b")[]'],
    [
      { type: 'array', items: { type: 'array', items: { type: 'number' } } },
      'readonly (readonly number[])[]',
    ],
    [{ type: 'array' }, 'readonly unknown[]'],
    [{ type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }, 'readonly [string, number]'],
    [{ type: 'object' }, 'Readonly<Record<string, unknown>>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Readonly<Record<string, number>>'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ anyOf: [{ type: 'string' }, {}] }, 'unknown'],
    [
      { allOf: [{ $ref: '#/components/schemas/shop.v1.Order' }, { enum: ['a', 'b'] }] },
      'ShopV1Order & ("a" | "b")',
    ],
    [{ $ref: '#/components/schemas/shop.v1.Order' }, 'ShopV1Order'],
    [{ $ref: '#/components/schemas/nobody' }, 'unknown'],
    [
      { type: 'object', properties: { id: { type: 'string' }, 'x-y': { type: 'number' } }, required: ['id'] },
      '{ readonly id: string; readonly "x-y"?: number | undefined; }',
    ],
    [
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: {} },
      '{ readonly a?: string | undefined; readonly [name: string]: unknown; }',
    ],
  ])('writes %j as %s', (schema, expected) => {
    expect(flat(schema)).toBe(expected);
  });

  it('writes descriptions as comments that they cannot end', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string', description: 'one */ export const x = 1;' } },
    };
    expect(types.type(schema)).toBe(
      '{\n  /** one * / export const x = 1; */\n  readonly a?: string | undefined;\n}',
    );
  });
});

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
