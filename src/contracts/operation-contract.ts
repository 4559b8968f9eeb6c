import type { ProblemCode } from '../problems/catalogue.ts';
import type { ComponentStore } from './components.ts';
import type { Answer, JsonSchema, Parameter, RequestBody } from './openapi.ts';
import { degradedSchema } from './view-contract.ts';

/** What is known of an operation besides its policies: what goes in and what comes out. */
export interface OperationContract {
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly deprecated?: boolean | undefined;
  /** Those of the path may be left out; they are text then. */
  readonly parameters: readonly Parameter[];
  readonly requestBody?: RequestBody | undefined;
  /** By status, or `default`. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Problems besides those of the stages. */
  readonly problems: readonly ProblemCode[];
}

/** What an upstream reads besides what the gateway knows of. */
const ANY_QUERY: Parameter = {
  name: 'query',
  in: 'query',
  description: 'Parameters that the upstream reads.',
  style: 'form',
  explode: true,
  schema: { type: 'object', additionalProperties: { type: 'string' } },
};

/** The contract of a route that composes calls in the configuration; its answer is an object of whatever they answer. */
export function aggregateContract(components: ComponentStore): OperationContract {
  const degraded = degradedSchema(components);
  const schema: JsonSchema = { type: 'object', properties: { degraded }, additionalProperties: {} };
  return {
    description: 'Composed of the answers of several calls.',
    parameters: [{ ...ANY_QUERY, description: 'Parameters that the calls are made with.' }],
    answers: {
      '200': { description: 'The composed answer.', content: { 'application/json': { schema } } },
    },
    problems: ['request-invalid', 'resource-not-found', 'upstream-rejected'],
  };
}

const ANYTHING = { '*/*': {} };
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** The contract of a route that is forwarded: the gateway does not look into bodies, so that it cannot know them. */
export function opaqueContract(upstream: string, method: string): OperationContract {
  return {
    summary: `Forward to ${upstream}`,
    description: `Forwarded to the upstream \`${upstream}\`, which says what goes in and what comes out.`,
    parameters: [ANY_QUERY],
    ...(WITH_BODY.has(method) ? { requestBody: { content: ANYTHING } } : {}),
    answers: {
      '2XX': { description: 'What the upstream answers.', content: ANYTHING },
      default: { description: 'What the upstream answers when it says no.', content: ANYTHING },
    },
    problems: [],
  };
}
