import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { contractOf } from './openapi.ts';
import { operation } from './operation.ts';

describe('a contract of operations', () => {
  it('says of each its role, parameters and body', () => {
    const { config } = operation('setIt', 'operate', {
      summary: 'Set it',
      query: z.object({ limit: z.number().describe('How many.').optional() }),
      body: z.strictObject({ to: z.string() }),
      status: 204,
    });
    const { paths } = contractOf([{ method: 'PUT', path: '/its/:id', config }]) as { paths: object };
    expect(paths).toEqual({
      '/its/{id}': {
        put: expect.objectContaining({
          operationId: 'setIt',
          tags: ['its'],
          'x-gatehouse-role': 'operate',
          security: [{ token: [] }, { session: [] }, { certificate: [] }],
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            {
              name: 'limit',
              in: 'query',
              required: false,
              description: 'How many.',
              schema: { type: 'number' },
            },
          ],
          requestBody: expect.objectContaining({ required: true }),
          responses: expect.objectContaining({ 204: { description: 'Set it' } }),
        }),
      },
    });
  });
});
