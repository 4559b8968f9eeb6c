import type { OperationContract } from './operation-contract.ts';
import type { Answer, JsonSchema, Parameter } from './openapi.ts';

const TEXT: JsonSchema = { type: 'string' };
const MAP: JsonSchema = { type: 'object', additionalProperties: true };

const RESULT: JsonSchema = {
  type: 'object',
  properties: {
    data: { type: ['object', 'null'], additionalProperties: true },
    errors: { type: 'array', items: MAP },
    extensions: MAP,
  },
};

const HASH = 'SHA-256 of a trusted document, in place of `query`.';
const EXTENSIONS =
  '`persistedQuery: { version: 1, sha256Hash }` in place of `query`, or with it to have it remembered; ' +
  '`operationId` of an operation on a reserved stream.';

const TOKEN_FIELD = 'x-graphql-event-stream-token';

function token(required: boolean): Parameter {
  const description =
    'The token of a stream that was reserved with PUT; also accepted as the parameter `token`.';
  return { name: TOKEN_FIELD, in: 'header', required, description, schema: TEXT };
}

const STREAM: Answer['content'] = {
  'text/event-stream': {
    schema: { description: 'Events `next` with a result each, then `complete`.', ...RESULT },
  },
};

const REFUSED: Answer = {
  description: 'The operation was refused.',
  content: { 'application/graphql-response+json': { schema: RESULT } },
};

const RUN = {
  summary: 'Run a GraphQL operation',
  description:
    'GraphQL over HTTP. Problems of the operation are in `errors[].extensions.code`. With ' +
    '`Accept: text/event-stream` the results of a subscription come as Server-Sent Events.',
  problems: ['media-type-unsupported', 'permission-denied', 'resource-not-found'],
} as const;

const RESULTS: Answer = {
  description: 'The result, or a stream of results.',
  content: { 'application/json': { schema: RESULT }, ...STREAM },
};

const GET: OperationContract = {
  ...RUN,
  parameters: [
    { name: 'query', in: 'query', description: 'The document.', schema: TEXT },
    { name: 'documentId', in: 'query', description: HASH, schema: TEXT },
    { name: 'operationName', in: 'query', description: 'Which operation of the document.', schema: TEXT },
    { name: 'variables', in: 'query', description: 'As JSON.', schema: TEXT },
    { name: 'extensions', in: 'query', description: `As JSON. ${EXTENSIONS}`, schema: TEXT },
    token(false),
  ],
  answers: { '200': RESULTS, default: REFUSED },
};

const POST: OperationContract = {
  ...RUN,
  parameters: [token(false)],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: {
            query: { ...TEXT, description: 'The document.' },
            documentId: { ...TEXT, description: HASH },
            operationName: { ...TEXT, description: 'Which operation of the document.' },
            variables: MAP,
            extensions: { ...MAP, description: EXTENSIONS },
          },
        },
      },
    },
  },
  answers: {
    '200': RESULTS,
    '202': { description: 'The operation runs; its results come on the reserved stream.' },
    default: REFUSED,
  },
};

const PUT: OperationContract = {
  summary: 'Reserve a stream for the results of several operations',
  description:
    'The single connection mode of GraphQL over Server-Sent Events. The stream is opened with a GET that accepts ' +
    '`text/event-stream` and names the token; a reservation that nobody opens ends after 30 seconds.',
  parameters: [],
  answers: {
    '201': { description: 'The token of the stream.', content: { 'text/plain': { schema: TEXT } } },
    '406': { description: 'The client does not accept `text/plain`.' },
  },
  problems: ['rate-limited'],
};

const DELETE: OperationContract = {
  summary: 'End an operation of a reserved stream',
  description: 'The stream and its other operations go on. To end one that has ended is no error.',
  parameters: [
    {
      name: 'operationId',
      in: 'query',
      required: true,
      description: 'The `extensions.operationId` that the operation was started with.',
      schema: TEXT,
    },
    token(true),
  ],
  answers: { '200': { description: 'The operation has ended.' } },
  problems: ['request-invalid', 'permission-denied', 'resource-not-found'],
};

const BY_METHOD: Readonly<Record<string, OperationContract>> = { GET, POST, PUT, DELETE };

/** The contract of the GraphQL door; what can be asked is in its schema. */
export function graphqlContract(method: string): OperationContract {
  return BY_METHOD[method] ?? POST;
}
