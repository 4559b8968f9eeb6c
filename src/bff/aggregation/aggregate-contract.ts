import type { ComponentStore } from '../../contracts/components.ts';
import type { JsonSchema } from '../../contracts/openapi.ts';
import type { OperationContract } from '../../contracts/operation-contract.ts';
import { UPSTREAM_PROBLEMS } from '../../upstreams/upstream-problems.ts';
import { degradedSchema } from '../composition/degraded-schema.ts';

/** The contract of a route that composes calls in the configuration; its answer is an object of whatever they answer. */
export function aggregateContract(components: ComponentStore): OperationContract {
  const degraded = degradedSchema(components);
  const schema: JsonSchema = { type: 'object', properties: { degraded }, additionalProperties: {} };
  return {
    description: 'Composed of the answers of several calls.',
    parameters: [
      {
        name: 'query',
        in: 'query',
        description: 'Parameters that the calls are made with.',
        style: 'form',
        explode: true,
        schema: { type: 'object', additionalProperties: { type: 'string' } },
      },
    ],
    answers: {
      '200': { description: 'The composed answer.', content: { 'application/json': { schema } } },
    },
    problems: [...UPSTREAM_PROBLEMS, 'request-invalid', 'resource-not-found', 'upstream-rejected'],
  };
}
