import { policyList } from '../policies/order.ts';
import { catalogue, type ProblemCode } from '../problems/catalogue.ts';
import { PROBLEM_MEDIA_TYPE } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';
import type { ComponentStore } from './components.ts';
import type { Answer, HeaderField, JsonSchema, Reference } from './openapi.ts';

/** Header fields that answers share, by component name. */
export const headerFields = {
  ...fieldsOfPolicies(),
  'Retry-After': field('Seconds after which another try makes sense.', 'integer'),
  'WWW-Authenticate': field('The credentials that the route accepts (RFC 9110 section 11.6.1).'),
  'X-Request-Id': field('Id of the exchange, which is in the logs as well.'),
  'Cache-Control': field('How long the answer may be kept (RFC 9111 section 5.2).'),
  'Server-Timing': field('How long each section took, in ms.'),
} satisfies Record<string, HeaderField>;

/** The name of a shared header field. */
export type HeaderFieldName = string;

/** The fields that the stages of a route add to every answer. */
export function stageFields({ seats }: Route): readonly HeaderFieldName[] {
  return policyList.flatMap(({ name, answerFields = {} }) =>
    seats[name] === undefined ? [] : Object.keys(answerFields),
  );
}

/** The fields of answers that say so: those of whoever counts requests. */
const LIMIT_FIELDS = policyList.flatMap(({ refusesWith, answerFields = {} }) =>
  refusesWith.includes('rate-limited') || refusesWith.includes('quota-exceeded')
    ? Object.keys(answerFields)
    : [],
);

function fieldsOfPolicies(): Record<string, HeaderField> {
  return Object.fromEntries(
    policyList.flatMap(({ answerFields = {} }) =>
      Object.entries(answerFields).map(([name, { description, type }]) => [name, field(description, type)]),
    ),
  );
}

/** Refers to shared header fields. */
export function fieldRefs(names: readonly HeaderFieldName[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const OPEN: readonly ProblemCode[] = [
  'request-malformed',
  'request-timeout',
  'headers-too-large',
  'shutting-down',
  'internal',
];
const UNSENT = new Set<ProblemCode>(['client-closed']);

/**
 * The codes that the stages of a route may end a request with, besides what its handler does.
 *
 * @param floodLimited whether the gateway counts requests before it looks at them.
 */
export function stageProblems(route: Route, floodLimited: boolean): ReadonlySet<ProblemCode> {
  const codes = new Set<ProblemCode>(OPEN);
  const add = (...more: readonly ProblemCode[]): void => more.forEach((code) => codes.add(code));
  if (floodLimited) add('rate-limited');
  const policies: Readonly<Record<string, unknown>> = route.policies;
  for (const policy of policyList) {
    if (route.seats[policy.name] === undefined) continue;
    // An upstream's breaker has its options elsewhere.
    const options = policies[policy.name];
    add(
      ...(options === undefined
        ? policy.refusesWith
        : (policy.refuses?.(options, route.door) ?? policy.refusesWith)),
    );
  }
  return codes;
}

/** Makes the answers that problems have, by status. */
export function problemAnswers(
  codes: ReadonlySet<ProblemCode>,
  components: ComponentStore,
): Record<string, Reference> {
  components.schema('ProblemCode', problemCodeSchema);
  const problem = components.schema('Problem', problemSchema);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...codes].sort()) {
    if (UNSENT.has(code)) continue;
    const { status } = catalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, its]) => [
      String(status),
      components.response(`Problem${status}`, problemAnswer(status, its, problem)),
    ]),
  );
}

function problemAnswer(status: number, codes: readonly ProblemCode[], problem: Reference): Answer {
  const schema: JsonSchema = { allOf: [problem, { properties: { code: { enum: codes } } }] };
  return {
    description: codes.map((code) => `${catalogue[code].title} (\`${code}\`).`).join(' '),
    headers: fieldRefs(['X-Request-Id', ...fieldsOf(status)]),
    content: { [PROBLEM_MEDIA_TYPE]: { schema } },
    'x-gatehouse-codes': codes,
  };
}

function fieldsOf(status: number): readonly HeaderFieldName[] {
  if (status === 401) return ['WWW-Authenticate'];
  if (status === 429) return ['Retry-After', ...LIMIT_FIELDS];
  return status === 503 ? ['Retry-After'] : [];
}

function field(description: string, type: 'string' | 'integer' = 'string'): HeaderField {
  return { description, schema: { type } };
}

/** The codes that clients may see. */
export const problemCodeSchema: JsonSchema = {
  type: 'string',
  description: 'Why the gateway says no. Stable; a newer gateway may have more of them.',
  enum: Object.keys(catalogue).filter((code) => !UNSENT.has(code as ProblemCode)),
};

/** An error of the gateway (RFC 9457). */
export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'An error of the gateway itself (RFC 9457); `code` is stable.',
  properties: {
    type: { type: 'string', format: 'uri', description: 'A URN that ends in the code.' },
    title: { type: 'string', description: 'A short summary, the same for every problem of a code.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is special about this one.' },
    instance: { type: 'string', format: 'uri', description: 'Names the exchange; ends in X-Request-Id.' },
    code: { $ref: '#/components/schemas/ProblemCode' },
    errors: {
      type: 'array',
      description: 'With `request-invalid`: what is wrong, and where.',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'A JSON pointer (RFC 6901) into the body or the query.' },
          parameter: { type: 'string', description: 'Name of the parameter that is meant.' },
          message: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
    section: { type: 'string', description: 'With a view: the required section that failed.' },
  },
  required: ['type', 'title', 'status', 'instance', 'code'],
};
