import type { FastifyContextConfig, FastifyInstance, RouteOptions } from 'fastify';
import { createRequire } from 'node:module';
import { z } from 'zod';
import { operation } from './operation.ts';

/** One operation of the operators' listener, as its route was registered. */
export interface AdminOperation {
  readonly method: string;
  /** As Fastify has it: `/keys/:id`. */
  readonly path: string;
  readonly config: FastifyContextConfig;
}

type Schema = Readonly<Record<string, unknown>>;

const ERROR = { $ref: '#/components/responses/Error' };
const SECURITY = [{ token: [] }, { session: [] }, { certificate: [] }];

/** Remembers every route that is registered from now on, and serves the contract that is made of them. */
export function serveContract(server: FastifyInstance): readonly AdminOperation[] {
  const all: AdminOperation[] = [];
  server.addHook('onRoute', ({ method, url, config = {} }: RouteOptions) => {
    // Fastify adds them itself.
    for (const one of [method].flat()) if (one !== 'HEAD') all.push({ method: one, path: url, config });
  });
  let document: object | undefined;
  const facts = { summary: 'This document', answer: z.looseObject({ openapi: z.string() }) };
  server.get('/openapi.json', operation('showContract', 'read', facts), () => (document ??= contractOf(all)));
  return all;
}

/** The contract of some operations, as OpenAPI 3.1. */
export function contractOf(operations: readonly AdminOperation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of operations) {
    const path = one.path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: describe(one) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Gatehouse: the operators’ listener',
      version: (createRequire(import.meta.url)('../../package.json') as { version: string }).version,
      description:
        'What operators see of a gateway and order it to do. Roles include each other: read < operate < admin; `x-gatehouse-role` of an operation says which one it needs.',
    },
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: {
        Error: {
          type: 'object',
          properties: { error: { type: 'string', description: 'What is wrong, for people.' } },
          required: ['error'],
        },
      },
      responses: {
        Error: {
          description: 'What is wrong, for people.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of ADMIN_TOKENS_FILE.' },
        session: { type: 'apiKey', in: 'cookie', name: 'gatehouse-admin', description: 'Of `POST /session`; with TLS its name begins with `__Host-`.' }, // prettier-ignore
        certificate: { type: 'mutualTLS', description: 'A client certificate that ADMIN_TOKENS_FILE lists.' },
      },
    },
  };
}

// What the path begins with: `upstreams`.
function tagOf({ path }: AdminOperation): string {
  return path.split('/')[1] || 'listener';
}

function describe(one: AdminOperation): object {
  const { path, config } = one;
  const { operation: operationId, role, summary, query, body, answer, media, status = 200 } = config;
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  const content = { [media ?? 'application/json']: { schema: answer === undefined ? {} : jsonSchema(answer, 'output') } }; // prettier-ignore
  return {
    operationId,
    tags: [tagOf(one)],
    summary: summary ?? operationId,
    'x-gatehouse-role': role,
    security: role === 'anyone' ? [] : SECURITY,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: !body.safeParse(undefined).success && !body.safeParse({}).success,
        content: { 'application/json': { schema: jsonSchema(body, 'input') } },
      },
    }),
    responses: {
      [status]: { description: summary ?? 'Done.', ...(status === 204 ? {} : { content }) },
      // 401 for callers that nobody knows, 403 for those whose role does not include this, and for pages of others.
      default: ERROR,
    },
  };
}

function pathParameters(path: string): object[] {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  return [...names, ...(path.includes('*') ? ['path'] : [])].map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    readonly properties?: Record<string, Schema>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const made = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: one }) => {
      // An answer may grow.
      if (io === 'output' && one.additionalProperties === false) delete one.additionalProperties;
      if (one.maximum === Number.MAX_SAFE_INTEGER) delete one.maximum;
      if (one.minimum === Number.MIN_SAFE_INTEGER) delete one.minimum;
      if (one.format !== undefined) delete one.pattern;
    },
  }) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(made).filter(([key]) => key !== '$schema'));
}
