import { catalogue } from '../problems/catalogue.ts';
import type { DeclaredAnswer, DescribedView } from './answers.decorator.ts';
import type { ComponentStore } from './components.ts';
import type { JsonSchema, Parameter } from './openapi.ts';
import { toJsonSchema } from './standard-schema.ts';

type Section = DescribedView['sections'][number];

/** The parameter that selects sections of a view. */
export function viewFields({ sections }: DescribedView): Parameter {
  return {
    name: 'fields',
    in: 'query',
    description: 'The sections that are wanted, with commas between them; all of them when it is absent.',
    style: 'form',
    explode: false,
    schema: { type: 'array', items: { type: 'string', enum: sections.map(({ name }) => name) }, minItems: 1 },
  };
}

/** The body of a view. No section is certain, because `?fields=` may leave it out. */
export function viewSchema(
  view: DescribedView,
  declared: DeclaredAnswer,
  components: ComponentStore,
): JsonSchema {
  const properties = Object.fromEntries(
    view.sections.map((section) => [section.name, sectionSchema(section, declared, components)]),
  );
  const schema: JsonSchema = {
    type: 'object',
    properties: { ...properties, degraded: degradedSchema(view, components) },
  };
  return components.schema(view.name, schema);
}

function sectionSchema(
  section: Section,
  { sections }: DeclaredAnswer,
  components: ComponentStore,
): JsonSchema {
  const schema = toJsonSchema(sections?.[section.name] ?? section.source?.answer, 'output', components);
  const isCertain = section.required || section.fallback !== undefined;
  if (isCertain || Object.keys(schema).length === 0) return schema;
  return { anyOf: [schema, { type: 'null' }] };
}

function degradedSchema(view: DescribedView, components: ComponentStore): JsonSchema {
  const names = view.sections.filter(({ required }) => !required).map(({ name }) => name);
  const item: JsonSchema = {
    type: 'object',
    description: 'A section that was not served by its source.',
    properties: {
      section: { type: 'string', enum: names },
      code: { type: 'string', enum: Object.keys(catalogue), description: 'Why.' },
      via: { type: 'string', enum: ['fallback', 'null'], description: 'What stands in for it.' },
    },
    required: ['section', 'code', 'via'],
  };
  return {
    type: 'array',
    description: 'Absent when every section was served by its source.',
    items: components.schema(`${view.name}Degradation`, item),
  };
}
