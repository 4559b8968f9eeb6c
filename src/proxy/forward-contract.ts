import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Parameter } from '../contracts/openapi.ts';
import { UPSTREAM_PROBLEMS } from '../upstreams/upstream-problems.ts';

/** What an upstream reads besides what the gateway knows of. */
const ANY_QUERY: Parameter = {
  name: 'query',
  in: 'query',
  description: 'Parameters that the upstream reads.',
  style: 'form',
  explode: true,
  schema: { type: 'object', additionalProperties: { type: 'string' } },
};
const ANYTHING = { '*/*': {} };
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** The contract of a route that is forwarded: the gateway does not look into bodies, so that it cannot know them. */
export function forwardContract(upstream: string, method: string): OperationContract {
  return {
    summary: `Forward to ${upstream}`,
    description: `Forwarded to the upstream \`${upstream}\`, which says what goes in and what comes out.`,
    parameters: [ANY_QUERY],
    ...(WITH_BODY.has(method) ? { requestBody: { content: ANYTHING } } : {}),
    answers: {
      '2XX': { description: 'What the upstream answers.', content: ANYTHING },
      default: { description: 'What the upstream answers when it says no.', content: ANYTHING },
    },
    problems: UPSTREAM_PROBLEMS,
  };
}
