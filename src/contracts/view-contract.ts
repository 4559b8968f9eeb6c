import { degradedSchema } from '../bff/composition/degraded-schema.ts';
import type { RunnableView } from '../bff/view-run.ts';
import type { DeclaredAnswer, DescribedView } from './answers.decorator.ts';
import type { ComponentStore } from './components.ts';
import type { JsonSchema, Parameter } from './openapi.ts';
import { toJsonSchema } from './standard-schema.ts';

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

// No section is certain, because `?fields=` may leave it out.
function sectionsSchema(view: RunnableView, schemas: Schemas, components: ComponentStore): JsonSchema {
  const shown = view.sections.filter(({ hidden }) => !hidden);
  const properties = shown.map((section) => [section.name, sectionSchema(section, schemas, components)]);
  return { type: 'object', properties: Object.fromEntries(properties) as Record<string, JsonSchema> };
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
