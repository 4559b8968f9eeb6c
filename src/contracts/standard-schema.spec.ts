import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ComponentStore } from './components.ts';
import { toJsonSchema } from './standard-schema.ts';

describe('toJsonSchema', () => {
  const components = new ComponentStore();

  it('tells what is sent from what comes out', () => {
    const schema = z.strictObject({
      size: z.coerce.number().int().min(1).default(20),
      at: z.string().transform(Number),
    });
    expect(toJsonSchema(schema, 'input', components)).toEqual({
      type: 'object',
      properties: { size: { type: 'integer', minimum: 1, default: 20 }, at: { type: 'string' } },
      required: ['at'],
      additionalProperties: false,
    });
    expect(toJsonSchema(schema, 'output', components)).toMatchObject({
      properties: { at: {} },
      required: ['size', 'at'],
    });
  });

  it('promises of an answer no more than its members', () => {
    expect(toJsonSchema(z.object({ id: z.string() }), 'output', components)).toEqual({
      type: 'object',
      properties: { id: { type: 'string' } },
      required: ['id'],
    });
  });

  it('says a format without its pattern, and no limits that every number has', () => {
    expect(toJsonSchema(z.iso.datetime(), 'output', components)).toEqual({
      type: 'string',
      format: 'date-time',
    });
    expect(toJsonSchema(z.int(), 'output', components)).toEqual({ type: 'integer' });
  });

  it('makes components of what has a name', () => {
    const part = z.object({ sku: z.string() }).meta({ id: 'SchemaSpecPart' });
    expect(toJsonSchema(z.array(part), 'output', components)).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/SchemaSpecPart' },
    });
    expect(components.toComponents({}, {}).schemas['SchemaSpecPart']).toMatchObject({ required: ['sku'] });
  });

  it('reads other libraries that describe themselves', () => {
    const jsonSchema = { input: () => ({ type: 'string' }), output: () => ({ type: 'number' }) };
    const foreign = { '~standard': { version: 1, vendor: 'other', jsonSchema } };
    expect(toJsonSchema(foreign, 'input', components)).toEqual({ type: 'string' });
    expect(toJsonSchema(foreign, 'output', components)).toEqual({ type: 'number' });
  });

  it.each([undefined, null, {}, 'text', { '~standard': { version: 1 } }])(
    'accepts everything for %p',
    (schema) => {
      expect(toJsonSchema(schema, 'input', components)).toEqual({});
    },
  );
});
