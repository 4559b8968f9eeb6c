import { z } from 'zod';
import { size } from '../../config/units.ts';
import { GRAPHQL_HTTP, SOCKETS, unfitFor } from '../doors.ts';
import { readsNoBody, type RouteKind } from '../policy-facts.ts';
import { definePolicy } from '../policy.ts';

type Part = 'body' | 'openapi' | 'answer';
const NOBODY_READS = 'nobody reads the body of a request of such a route';
/** What is never looked at, by the kinds of routes of the file. */
const IDLE: Readonly<Record<string, readonly [readonly Part[], string]>> = {
  aggregate: [['body'], NOBODY_READS],
  respond: [['body', 'openapi'], NOBODY_READS],
  redirect: [['body', 'openapi', 'answer'], 'a redirect reads no body and has none'],
  passGrpc: [['answer'], 'calls of gRPC are passed on unread, and their messages are no JSON'],
};

function idleParts(at: RouteKind): readonly [readonly Part[], string] {
  if (at.sendsEvents === true && !readsNoBody(at)) return [['answer'], 'a stream of events is no JSON'];
  if (at.sendsEvents === true)
    return [['answer', 'body'], 'a stream of events is no JSON, and a GET has no body'];
  if (readsNoBody(at)) return [['body'], 'nobody reads the body of a GET'];
  return IDLE[at.kind] ?? [[], ''];
}

const schema = z.record(z.string(), z.unknown());

/** Checks requests, and in shadow answers, by JSON Schema or an API description. */
export const validationPolicy = definePolicy({
  name: 'validation',
  schema: z
    .strictObject({
      mode: z
        .enum(['enforce', 'shadow', 'off'])
        .default('enforce')
        .describe(
          'What becomes of a request with faults: `enforce` refuses it, `shadow` logs and counts it, `off` looks at nothing. Default enforce.',
        ),
      body: schema
        .optional()
        .describe('JSON Schema of the request body. Forwarded, translated routes and handlers only.'),
      query: schema
        .optional()
        .describe('JSON Schema of the query, an object; texts count as what the schema wants.'),
      params: schema.optional().describe('JSON Schema of the path parameters, an object of their names.'),
      headers: schema
        .optional()
        .describe('JSON Schema of the header fields, an object; names in lower case.'),
      answer: schema
        .optional()
        .describe(
          'JSON Schema of answers with 2xx. In shadow: what does not fit is logged and counted, and sent as it is.',
        ),
      openapi: z
        .strictObject({
          file: z
            .string()
            .min(1)
            .describe('OpenAPI file, 3.0 or 3.1, in JSON or YAML; from where the gateway is started.'),
          prefix: z
            .string()
            .regex(/^(?:\/[^/?#]+)*$/, 'expected a path without a slash at its end')
            .default('')
            .describe('What paths of the gateway have before those of the file. Default nothing.'),
        })
        .optional()
        .describe('An API description in place of schemas: the operation is found by method and path.'),
      maxBody: size.default(2 ** 20).describe('Largest body that is held to be checked. Default 1MiB.'),
    })
    .refine(
      ({ openapi, body, query, params, headers, answer }) =>
        (openapi === undefined) !== [body, query, params, headers, answer].every((one) => one === undefined),
      'expected schemas (`body`, `query`, `params`, `headers`, `answer`), or `openapi`, and not both',
    ),
  step: 'validate',
  summary:
    'Checks path parameters, query, header fields and JSON bodies of requests by JSON Schema or an OpenAPI file, and tells all faults in one problem. What was checked is passed on byte by byte as it came. Answers are checked in shadow.',
  per: 'connection',
  before: 'action',
  refusesWith: ['request-invalid', 'media-type-unsupported', 'body-too-large'],
  refuses: ({ mode }) =>
    mode === 'enforce' ? ['request-invalid', 'media-type-unsupported', 'body-too-large'] : [],
  describe: ({ mode, openapi, ...schemas }) =>
    `${mode} ${openapi?.file ?? ['params', 'query', 'headers', 'body', 'answer'].filter((name) => name in schemas).join(' ')}`,
  idle: (options, at) => {
    const [keys, reason] = idleParts(at);
    const key = keys.find((one) => options[one] !== undefined);
    return key === undefined || options.mode === 'off' ? undefined : { key: [key], reason };
  },
  unfit: {
    ...unfitFor(GRAPHQL_HTTP, 'the schema of GraphQL says what an operation may look like'),
    ...unfitFor(SOCKETS, 'a handshake is no request of an API, and messages have schemas of their own'),
  },
});

/** Checks the requests of a controller or handler. */
export const Validation = validationPolicy.decorator;
