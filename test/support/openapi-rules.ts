import { z } from 'zod';
import type { OpenApiDocument, Operation, Parameter } from '../../src/contracts/openapi.ts';

const TYPES = z.enum(['object', 'array', 'string', 'integer', 'number', 'boolean', 'null']);

/** The keywords of the 2020-12 dialect that documents of ours use, with what they must be. */
const schema: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      $ref: z.string().regex(/^#\/components\/schemas\//),
      type: z.union([TYPES, z.array(TYPES).min(1)]),
      properties: z.record(z.string(), schema),
      required: z.array(z.string()),
      items: z.union([schema, z.boolean()]),
      prefixItems: z.array(schema),
      additionalProperties: z.union([schema, z.boolean()]),
      propertyNames: schema,
      anyOf: z.array(schema).min(1),
      oneOf: z.array(schema).min(1),
      allOf: z.array(schema).min(1),
      enum: z.array(z.unknown()).min(1),
      const: z.unknown(),
      default: z.unknown(),
      description: z.string(),
      format: z.string(),
      pattern: z.string().refine((text) => new RegExp(text, 'u') instanceof RegExp),
      contentEncoding: z.literal('base64'),
      minimum: z.number(),
      maximum: z.number(),
      exclusiveMinimum: z.number(),
      exclusiveMaximum: z.number(),
      minLength: z.int().min(0),
      maxLength: z.int().min(0),
      minItems: z.int().min(0),
      maxItems: z.int().min(0),
      readOnly: z.boolean(),
      'x-gatehouse-sections': z.array(z.string()).min(1),
    })
    .partial(),
);

const COMPONENT_NAME = /^[A-Za-z0-9._-]+$/;
const STATUS = /^([1-5](\d\d|XX)|default)$/;
const OWN_PLACES = new Set(['accept', 'content-type', 'authorization']);

/**
 * Says what is wrong with a document by the rules of OpenAPI 3.1.1 that a schema of it cannot check, and by the
 * shape of its JSON Schemas; empty when nothing is.
 */
export function openApiFaults(document: OpenApiDocument): readonly string[] {
  const operations = operationsOf(document);
  const ids = operations.map(({ operation }) => operation.operationId);
  const shapes = Object.keys(document.paths).map((path) => path.replace(/\{[^}]*\}/g, '{}'));
  return [
    ...twice(ids).map((id) => `two operations are called ${id}`),
    ...twice(shapes).map((shape) => `two paths look like ${shape}`),
    ...refsOf(document)
      .filter((ref) => !resolves(document, ref))
      .map((ref) => `${ref} leads nowhere`),
    ...Object.values(document.components)
      .flatMap((group) => Object.keys(group))
      .filter((name) => !COMPONENT_NAME.test(name))
      .map((name) => `${name} is no name of a component`),
    ...schemasOf(document).flatMap(([place, one]) => {
      const result = schema.safeParse(one);
      return result.success ? [] : [`${place}: ${z.prettifyError(result.error)}`];
    }),
    ...operations.flatMap(({ place, path, operation }) =>
      operationFaults(document, path, operation).map((fault) => `${place}: ${fault}`),
    ),
  ];
}

interface Placed {
  readonly place: string;
  readonly path: string;
  readonly operation: Operation;
}

/** All operations of a document. */
export function operationsOf({ paths }: OpenApiDocument): readonly Placed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ place: `${method} ${path}`, path, operation })),
  );
}

function operationFaults(document: OpenApiDocument, path: string, operation: Operation): string[] {
  const { parameters = [], responses, security, tags } = operation;
  const wanted = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name ?? '').sort();
  const declared = parameters.filter((one) => one.in === 'path');
  const tagNames = document.tags.map(({ name }) => name);
  const schemes = security.flatMap((one) => Object.keys(one));
  return [
    ...(wanted.join() ===
    declared
      .map(({ name }) => name)
      .sort()
      .join()
      ? []
      : ['declares other parameters than its path has']),
    ...declared
      .filter((one) => one.required !== true)
      .map(({ name }) => `${name} of the path is not required`),
    ...twice(parameters.map((one) => `${one.in} ${one.name.toLowerCase()}`)).map(
      (name) => `has ${name} twice`,
    ),
    ...parameters.filter((one) => isMisplaced(one)).map(({ name }) => `${name} is no header parameter`),
    ...(Object.keys(responses).length === 0 ? ['answers nothing'] : []),
    ...Object.keys(responses)
      .filter((status) => !STATUS.test(status))
      .map((status) => `${status} is no status`),
    ...Object.entries(responses)
      .filter(([, one]) => !('$ref' in one) && one.description === '')
      .map(([status]) => `${status} has no description`),
    ...tags.filter((tag) => !tagNames.includes(tag)).map((tag) => `the tag ${tag} is not declared`),
    ...schemes
      .filter((one) => !(one in document.components.securitySchemes))
      .map((one) => `${one} is no security scheme`),
  ];
}

function isMisplaced({ in: place, name }: Parameter): boolean {
  return place === 'header' && OWN_PLACES.has(name.toLowerCase());
}

function twice(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

function refsOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = '$ref' in node && typeof node.$ref === 'string' ? [node.$ref] : [];
  return [...own, ...Object.values(node).flatMap(refsOf)];
}

function resolves(document: OpenApiDocument, ref: string): boolean {
  let at: unknown = document;
  for (const step of ref.replace(/^#\//, '').split('/')) {
    at = (at as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return ref.startsWith('#/') && at !== undefined;
}

/** Every schema that stands where OpenAPI has one. */
function schemasOf(document: OpenApiDocument): readonly (readonly [string, unknown])[] {
  const { schemas, responses } = document.components;
  const inContent = (place: string, content: object = {}): [string, unknown][] =>
    Object.entries(content as Record<string, { schema?: unknown }>).flatMap(([type, { schema: one }]) =>
      one === undefined ? [] : [[`${place} ${type}`, one]],
    );
  return [
    ...Object.entries(schemas),
    ...Object.entries(responses).flatMap(([name, { content }]) => inContent(name, content)),
    ...operationsOf(document).flatMap(({ place, operation }) => [
      ...(operation.parameters ?? []).map((one) => [`${place} ${one.name}`, one.schema] as const),
      ...inContent(place, operation.requestBody?.content),
      ...Object.entries(operation.responses).flatMap(([status, one]) =>
        '$ref' in one ? [] : inContent(`${place} ${status}`, one.content),
      ),
    ]),
  ];
}

/**
 * Makes a check of what an operation answers: the schema of the document, read by zod.
 *
 * @throws {Error} when the operation says nothing about this status.
 */
export function answerCheck(document: OpenApiDocument, operationId: string, status: string): z.ZodType {
  const found = operationsOf(document).find(({ operation }) => operation.operationId === operationId);
  const answer = found?.operation.responses[status];
  const resolved =
    answer !== undefined && '$ref' in answer
      ? document.components.responses[answer.$ref.split('/').at(-1) ?? '']
      : answer;
  const [media] = Object.values(resolved?.content ?? {});
  if (media?.schema === undefined) throw new Error(`${operationId} says nothing about ${status}`);
  const text = JSON.stringify({ ...media.schema, $defs: document.components.schemas });
  const whole = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Parameters<
    typeof z.fromJSONSchema
  >[0];
  return z.fromJSONSchema(whole);
}
