import type { ComponentStore } from '../../contracts/components.ts';
import type { JsonSchema } from '../../contracts/openapi.ts';

/** The list of sections that were not served by their source. */
export function degradedSchema(components: ComponentStore): JsonSchema {
  const item: JsonSchema = {
    type: 'object',
    description: 'A section that was not served by its source.',
    properties: {
      section: { type: 'string', description: 'Its name; dots lead into nested views.' },
      code: { $ref: '#/components/schemas/ProblemCode' },
      via: { type: 'string', enum: ['fallback', 'null'], description: 'What stands in for it.' },
    },
    required: ['section', 'code', 'via'],
  };
  return {
    type: 'array',
    description: 'Absent when every section was served by its source.',
    items: components.schema('Degradation', item),
  };
}
