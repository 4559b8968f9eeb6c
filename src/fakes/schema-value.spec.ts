import { describe, expect, it } from '@jest/globals';
import { OpenapiDocument } from './openapi-document.ts';
import { schemaValue, type Schema } from './schema-value.ts';

const plain = { resolve: (schema: unknown) => schema as Schema };

describe(schemaValue, () => {
  it.each([
    [{ type: 'string' }, 'name', 'name'],
    [{ type: 'string', format: 'date-time' }, '', '2026-01-02T03:04:05Z'],
    [{ type: 'string', format: 'uuid' }, '', '3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    [{ type: 'string', minLength: 6 }, 'id', 'idxxxx'],
    [{ type: 'string', maxLength: 2 }, 'name', 'na'],
    [{ type: 'string', enum: ['red', 'blue'] }, '', 'red'],
    [{ type: ['null', 'string'] }, 'a', 'a'],
    [{ type: 'integer' }, '', 1],
    [{ type: 'integer', minimum: 7 }, '', 7],
    [{ type: 'integer', exclusiveMinimum: 7 }, '', 8],
    [{ type: 'integer', minimum: 7, exclusiveMinimum: true }, '', 8],
    [{ type: 'integer', maximum: -3 }, '', -3],
    [{ type: 'integer', exclusiveMaximum: 0 }, '', -1],
    [{ type: 'number', minimum: 3, multipleOf: 5 }, '', 5],
    [{ type: 'boolean' }, '', true],
    [{ type: 'boolean', default: false }, '', false],
    [{ const: 'only' }, '', 'only'],
    [{ type: 'string', examples: ['first', 'second'] }, '', 'first'],
    [{ type: 'array', items: { type: 'integer' } }, '', [1, 1]],
    [{ type: 'array', items: { type: 'integer' }, minItems: 3 }, '', [1, 1, 1]],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 1 }, '', [1]],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, '', { key: 1 }],
    [{ oneOf: [{ type: 'integer' }, { type: 'string' }] }, '', 1],
    [{}, '', null],
  ])('makes of %j the same each time', (schema, name, value) => {
    expect(schemaValue(schema, plain, name)).toEqual(value);
  });

  it('puts the parts of a schema together, and leaves out what is only written', () => {
    const schema = {
      allOf: [{ properties: { a: { type: 'integer' } } }, { properties: { b: { type: 'boolean' } } }],
      properties: { password: { type: 'string', writeOnly: true } },
    };
    expect(schemaValue(schema, plain)).toEqual({ a: 1, b: true });
  });

  it('is about what was asked for, and its parts are not', () => {
    const id = { type: 'string', example: 'x' };
    const schema = { properties: { id, size: { type: 'integer' }, part: { properties: { id } } } };
    const known = new Map([['id', '7'], ['size', '12']]);
    expect(schemaValue(schema, { ...plain, known })).toEqual({ id: '7', size: 12, part: { id: 'x' } });
  }); // prettier-ignore

  it('ends where a schema goes on for ever', () => {
    const document = new OpenapiDocument({
      components: { schemas: { Node: { properties: { name: { type: 'string' }, next: { $ref: '#/components/schemas/Node' }, all: { type: 'array', items: { $ref: '#/components/schemas/Node' } } } } } },
    }); // prettier-ignore
    const context = { resolve: (schema: unknown) => document.resolve(schema) };
    expect(schemaValue({ $ref: '#/components/schemas/Node' }, context)).toEqual({ name: 'name', all: [] });
  });

  it('has a bound where a schema is wide', () => {
    const deep = (level: number): object => ({
      properties: Object.fromEntries(
        Array.from({ length: 10 }, (_, at) => [
          `p${at}`,
          level === 0 ? { type: 'integer' } : deep(level - 1),
        ]),
      ),
    });
    expect(JSON.stringify(schemaValue(deep(4), plain)).length).toBeLessThan(200_000);
  });
});
