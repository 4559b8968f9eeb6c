import { degradedSchema } from '../bff/composition/degraded-schema.ts';
import type { RunnableView } from '../bff/view-run.ts';
import type { DeclaredAnswer, DescribedView } from './answers.decorator.ts';
import type { ComponentStore } from './components.ts';
import type { JsonSchema, Parameter } from './openapi.ts';
import { mayBeAbsent, toJsonSchema } from './standard-schema.ts';

type Section = RunnableView['sections'][number];
type Schemas = NonNullable<DeclaredAnswer['sections']>;
type Declared = Pick<DeclaredAnswer, 'sections' | 'kinds'>;

/** The parameters of a view: `fields` selects sections, and a header field may say what kind of client it is. */
export function viewParameters({ view, kinds, kindField }: DescribedView): Parameter[] {
  const paths = [...new Set([view, ...kinds.values()].flatMap((one) => pathsOf(one)))];
  const fields: Parameter = {
    name: 'fields',
    in: 'query',
    description: 'The sections that are wanted, with commas between them; all of them when it is absent.',
    style: 'form',
    explode: false,
    schema: { type: 'array', items: { type: 'string', enum: paths }, minItems: 1 },
  };
  if (kindField === undefined) return [fields];
  const description = 'The kind of the client, which decides what it sees.';
  const schema: JsonSchema = { type: 'string', enum: [...kinds.keys()] };
  return [fields, { name: kindField, in: 'header', description, schema }];
}

/** The body of a view: one of its shapes, where it has several. */
export function viewSchema(
  { view, kinds }: DescribedView,
  declared: Declared,
  components: ComponentStore,
): JsonSchema {
  const { sections: schemas = {} } = declared;
  const whole = shapeSchema(view.name, view, schemas, components);
  const others = [...kinds].map(([kind, one]) =>
    shapeSchema(`${view.name}.${kind}`, one, kindSchemas(one, schemas, declared.kinds?.[kind]), components),
  );
  return others.length === 0 ? whole : { anyOf: [whole, ...others] };
}

/** One record of an answer that arrives section by section: a section, that it is done, or why it ends before that. */
export function viewRecordSchema(
  { view, kinds }: DescribedView,
  declared: Declared,
  components: ComponentStore,
): JsonSchema {
  const { sections: schemas = {} } = declared;
  const degraded = degradedSchema(components);
  const shapes: (readonly [RunnableView, Schemas])[] = [
    [view, schemas],
    ...[...kinds].map(([kind, one]) => [one, kindSchemas(one, schemas, declared.kinds?.[kind])] as const),
  ];
  const sections = shapes.flatMap(([shape, own]) =>
    shape.sections
      .filter(({ hidden }) => !hidden)
      .map((section): JsonSchema => {
        const data = sectionSchema(section, own, components);
        const properties = { section: { const: section.name }, data, degraded };
        return {
          type: 'object',
          properties,
          required: ['section', ...(isCertain(section, own) ? ['data'] : [])],
        };
      }),
  );
  const different = new Map(sections.map((schema) => [JSON.stringify(schema), schema]));
  const timing: JsonSchema = {
    type: 'object',
    description: 'How long each section took, in ms.',
    additionalProperties: { type: 'integer' },
  };
  const done = {
    type: 'object',
    properties: { done: { const: true }, timing, degraded },
    required: ['done', 'timing'],
  };
  const problem = {
    type: 'object',
    properties: { problem: { $ref: '#/components/schemas/Problem' } },
    required: ['problem'],
  };
  const description = 'A line, or the data of an event.';
  return components.schema(`${view.name}.record`, {
    description,
    anyOf: [...different.values(), done, problem],
  });
}

/** What a kind of client is shown of a section is the result of a function; its schema says nothing of that. */
function kindSchemas(view: RunnableView, schemas: Schemas, own: Schemas = {}): Schemas {
  const kept = view.sections
    .filter(({ pick }) => pick === undefined)
    .map(({ name }) => [name, schemas[name]]);
  return { ...(Object.fromEntries(kept) as Schemas), ...own };
}

function shapeSchema(
  name: string,
  view: RunnableView,
  schemas: Schemas,
  components: ComponentStore,
): JsonSchema {
  const { properties, ...schema } = sectionsSchema(view, schemas, components);
  const degraded = degradedSchema(components);
  return components.schema(name, { ...schema, properties: { ...properties, degraded } });
}

/** Names the sections that are there unless `?fields=` leaves them out, which JSON Schema has no word for. */
export const SECTIONS = 'x-gatehouse-sections';

// No section is required, because `?fields=` may leave it out.
function sectionsSchema(view: RunnableView, schemas: Schemas, components: ComponentStore): JsonSchema {
  const shown = view.sections.filter(({ hidden }) => !hidden);
  const properties = shown.map((section) => [section.name, sectionSchema(section, schemas, components)]);
  const certain = shown.filter((one) => isCertain(one, schemas)).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as Record<string, JsonSchema>,
    ...(certain.length === 0 ? {} : { [SECTIONS]: certain }),
  };
}

// What has no value is left out of JSON.
function isCertain({ name, pick, nested, many, element, source }: Section, schemas: Schemas): boolean {
  const given = schemas[name];
  if (given !== undefined) return !mayBeAbsent(given);
  if (pick !== undefined) return false;
  if (many || nested !== undefined) return true;
  const answer = (element ?? source)?.answer;
  return answer !== undefined && !mayBeAbsent(answer);
}

function sectionSchema(section: Section, schemas: Schemas, components: ComponentStore): JsonSchema {
  const given = schemas[section.name];
  if (given !== undefined) return toJsonSchema(given, 'output', components);
  if (section.pick !== undefined) return {};
  const schema = sourceSchema(section, components);
  const isCertain = section.required || section.fallback !== undefined || Object.keys(schema).length === 0;
  return isCertain ? schema : nullable(schema);
}

function sourceSchema({ source, element, nested, many }: Section, components: ComponentStore): JsonSchema {
  const one =
    nested === undefined
      ? toJsonSchema((many ? element : source)?.answer, 'output', components)
      : components.schema(nested.name, sectionsSchema(nested, {}, components));
  return many ? { type: 'array', items: nullable(one) } : one;
}

function nullable(schema: JsonSchema): JsonSchema {
  return Object.keys(schema).length === 0 ? {} : { anyOf: [schema, { type: 'null' }] };
}

/** What `?fields=` takes: names, and paths through nested views. */
function pathsOf(view: RunnableView, prefix = ''): readonly string[] {
  return view.sections
    .filter(({ hidden }) => !hidden)
    .flatMap(({ name, nested }) => {
      const path = prefix + name;
      return nested === undefined ? [path] : [path, ...pathsOf(nested, `${path}.`)];
    });
}
