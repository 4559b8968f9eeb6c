import type { JsonSchema, OpenApiDocument, Operation, Parameter } from '../openapi.ts';
import { SECTIONS } from '../view-contract.ts';

const SCHEMAS = '#/components/schemas/';
const WHOLE = '.whole';

/** The names of the schemas of views: for each there is another one, of an answer that nobody has asked parts of. */
export function viewNames({ components }: OpenApiDocument): ReadonlySet<string> {
  return new Set(
    Object.entries(components.schemas).flatMap(([name, schema]) =>
      Array.isArray(schema[SECTIONS]) ? [name] : [],
    ),
  );
}

/** Names the schema of a view as it is answered whole; undefined for what is no view. */
export function wholeName(schema: JsonSchema, views: ReadonlySet<string>): string | undefined {
  const name = schema.$ref?.slice(SCHEMAS.length) ?? '';
  return views.has(name) ? name + WHOLE : undefined;
}

/**
 * Writes the types of a document: `paths`, `operations`, `components`. openapi-typescript is loaded only here: it brings a
 * compiler with it.
 *
 * @throws {Error} saying what to install where it is not there, or what it makes of the document.
 */
export async function documentTypes(document: OpenApiDocument): Promise<string> {
  const { astToString, default: toTypes } = await loaded();
  // As it is sent: a member without a value is none.
  const text = JSON.stringify(prepared(document));
  const tree = await toTypes(JSON.parse(text, hidden) as never, {
    immutable: true,
    silent: true,
    emptyObjectsUnknown: true,
    // What has a default may be left out.
    defaultNonNullable: false,
  });
  return astToString(tree).replaceAll(HIDDEN, '');
}

const INHERITED: ReadonlySet<unknown> = new Set(Object.getOwnPropertyNames(Object.prototype));
const HIDDEN = '__gatehouse_hidden_';

/** Hides names that every object has: `@redocly/openapi-core` 1.34 takes a property `valueOf` for what it has inherited. */
function hidden(_key: string, value: unknown): unknown {
  const safe = (name: unknown): unknown => (INHERITED.has(name) ? `${HIDDEN}${String(name)}` : name);
  if (Array.isArray(value)) return value.map(safe);
  if (typeof value !== 'object' || value === null) return value;
  if (!Object.keys(value).some((key) => INHERITED.has(key))) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [safe(key), one]));
}

async function loaded(): Promise<typeof import('openapi-typescript')> {
  try {
    return await import('openapi-typescript');
  } catch (error) {
    const advice =
      'client: needs openapi-typescript, which is optional: npm install --save-dev openapi-typescript';
    throw new Error(advice, { cause: error });
  }
}

/** Whether one parameter stands for all that there may be. */
export function isAnything({ schema, explode }: Parameter): boolean {
  return explode === true && schema.type === 'object';
}

function prepared(document: OpenApiDocument): object {
  const views = viewNames(document);
  const { schemas } = document.components;
  const wholes = [...views].map((name) => [name + WHOLE, wholeOf(schemas[name] ?? {}, views)]);
  return {
    ...document,
    paths: mapOperations(document, (operation) => ({
      ...operation,
      parameters: (operation.parameters ?? []).filter((one) => !isAnything(one)),
    })),
    components: { ...document.components, schemas: { ...schemas, ...Object.fromEntries(wholes) } },
  };
}

function wholeOf(schema: JsonSchema, views: ReadonlySet<string>): JsonSchema {
  const sections = schema[SECTIONS] as readonly string[];
  return { ...(renamed(schema, views) as JsonSchema), required: [...(schema.required ?? []), ...sections] };
}

/** The same, with views inside it as whole as it is. */
function renamed(node: unknown, views: ReadonlySet<string>): unknown {
  if (Array.isArray(node)) return node.map((one) => renamed(one, views));
  if (typeof node !== 'object' || node === null) return node;
  const whole = wholeName(node as JsonSchema, views);
  if (whole !== undefined) return { ...node, $ref: SCHEMAS + whole };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, renamed(value, views)]));
}

function mapOperations(document: OpenApiDocument, change: (operation: Operation) => Operation): object {
  return Object.fromEntries(
    Object.entries(document.paths).map(([path, item]) => [
      path,
      Object.fromEntries(Object.entries(item).map(([method, one]) => [method, change(one as Operation)])),
    ]),
  );
}
