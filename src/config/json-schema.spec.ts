import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { toEditorSchema } from './json-schema.ts';
import { duration } from './units.ts';

const rule = z
  .strictObject({
    key: z.enum(['ip', 'principal']).default('principal').describe('Whose bucket.'),
    rate: z.int().min(1).describe('Tokens per period.'),
    per: duration.default(60_000).describe('The period. Default 1m.'),
    skew: duration.prefault('5s').optional(),
    note: z.string().optional(),
  })
  .transform((options) => [options]);

const schema = z.strictObject({
  version: z.literal(1),
  limits: z.union([z.literal('off'), rule]),
  custom: z.custom<Date>((value) => value instanceof Date).optional(),
  names: z.record(z.string(), z.string()).optional(),
});

/** Reads the JSON Schema the way an editor would, by another implementation than the one that made it. */
const accepts = (document: unknown) => z.fromJSONSchema(toEditorSchema(schema)).safeParse(document).success;

const limits = { rate: 5 };

describe('toEditorSchema', () => {
  it('is draft 2020-12 with the title that was asked for', () => {
    expect(toEditorSchema(schema, { title: 'Gatehouse' })).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'Gatehouse',
      type: 'object',
      additionalProperties: false,
      required: ['version', 'limits'],
    });
  });

  it('describes the input and offers only defaults that can be written', () => {
    expect(toEditorSchema(schema).properties?.['limits']).toMatchObject({
      anyOf: [
        { const: 'off' },
        {
          required: ['rate'],
          properties: {
            key: { description: 'Whose bucket.', default: 'principal' },
            rate: { description: 'Tokens per period.', anyOf: [{ type: 'integer', minimum: 1 }, {}] },
            per: { description: 'The period. Default 1m.', anyOf: [{ pattern: expect.any(String) }, {}] },
            skew: { default: '5s' },
            note: { type: 'string' },
          },
        },
      ],
    });
    expect(JSON.stringify(toEditorSchema(schema))).not.toContain('60000');
    expect(JSON.stringify(toEditorSchema(schema))).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });

  it.each<[string, unknown]>([
    ['a whole document', { version: 1, limits: { ...limits, key: 'ip', per: '1m' }, names: { a: 'b' } }],
    ['an alternative', { version: 1, limits: 'off' }],
    [
      'variables for numbers, names and durations',
      { version: 1, limits: { rate: '${R}', key: '${K:-ip}', per: '${P}s' } },
    ],
    ['anything where there is no JSON Schema', { version: 1, limits, custom: { some: 'thing' } }],
  ])('accepts %s', (_title, document) => {
    expect(accepts(document)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a missing key', { limits }],
    ['an unknown key', { version: 1, limits, x: 1 }],
    ['an unknown key inside', { version: 1, limits: { ...limits, pre: '1m' } }],
    ['a wrong constant', { version: 2, limits }],
    ['a variable for a constant', { version: '${V}', limits }],
    ['a duration without a unit', { version: 1, limits: { ...limits, per: '5' } }],
    ['text for a number', { version: 1, limits: { rate: 'five' } }],
    ['a number out of range', { version: 1, limits: { rate: 0 } }],
  ])('refuses %s', (_title, document) => {
    expect(accepts(document)).toBe(false);
  });
});
