import { pointerPart } from '../../exchange/json-pointer.ts';
import {
  listOf,
  objectOf,
  jsonSchemaAt,
  jsonTypeOf,
  resolved,
  type Json,
  type Placed,
} from './openapi-document.ts';
import {
  compileParameter,
  type ParameterKind,
  type ParameterSpelling,
  type ReadParameter,
} from './parameter-styles.ts';
import { UncheckedSpellings } from './unchecked-spellings.ts';
import type { Pairs, ParameterPart } from './request-parts.ts';
import { compileSchema, type CompiledSchema, type SchemaUse } from './schema-compiler.ts';
import type { SchemaFault } from './schema.pipe.ts';

/** Where parameters stand, and what faults call it. */
const PLACES = { path: 'params', query: 'query', header: 'headers', cookie: 'cookies' } as const;
type Place = keyof typeof PLACES;
/** Header fields that OpenAPI leaves to others. */
const IGNORED = new Set(['accept', 'content-type', 'authorization']);
/** How a parameter is written that says nothing of it. */
const DEFAULT_STYLES: Readonly<Record<Place, string>> = {
  query: 'form',
  path: 'simple',
  header: 'simple',
  cookie: 'form',
};

interface Parameter extends Placed {
  readonly place: Place;
  readonly name: string;
}

/** The parameters of one place, checked all at once. */
export interface PlacedParameters {
  readonly of: ParameterPart;
  faultsOf(pairs: Pairs): readonly SchemaFault[];
}

/** Compiles the parameters of an operation. @throws {Error} for a style that there is not, or a schema that does not compile. */
export function parametersOf(
  itemAt: Placed,
  operationAt: Placed,
  use: SchemaUse,
): readonly PlacedParameters[] {
  const document = use.document as Json;
  const named = new Map<string, Parameter>();
  for (const holder of [itemAt, operationAt])
    listOf(holder.value['parameters']).forEach((one, index) => {
      const placed = resolved(one, `${holder.pointer}/parameters/${index}`, document);
      const place = placed.value['in'] as Place;
      const said = String(placed.value['name']);
      const name = place === 'header' ? said.toLowerCase() : said;
      if (!(place in PLACES) || (place === 'header' && IGNORED.has(name))) return;
      named.set(`${place} ${name}`, { ...placed, place, name });
    });
  return (Object.keys(PLACES) as Place[]).flatMap((place) => {
    const of = [...named.values()].filter((one) => one.place === place);
    return of.length === 0 ? [] : [partOf(place, of, use)];
  });
}

interface Reading {
  readonly name: string;
  readonly read: ReadParameter;
  /** Of what is JSON, whose texts stand for themselves. */
  readonly json: CompiledSchema | undefined;
}

function partOf(place: Place, of: readonly Parameter[], use: SchemaUse): PlacedParameters {
  const names = new Set(of.map(({ name }) => name));
  const spelled = of.map((one) => spellingOf(one, names, use.document as Json));
  const readings = of.map((one, at): Reading => {
    const read = compileParameter(place, spelled[at] as ParameterSpelling);
    return { name: one.name, read, json: jsonSchemaAt(one, use) };
  });
  const spellings = place === 'query' ? spellingsOf(spelled, of, use.document as Json) : undefined;
  const schema = schemaOf(of, use);
  return {
    of: PLACES[place],
    faultsOf({ pairs, decode }) {
      const faults: SchemaFault[] = [];
      const values = Object.create(null) as Record<string, unknown>;
      const misread = new Set<string>();
      for (const { name, read, json } of readings) {
        const one = read(pairs, decode);
        const pointer = `/${pointerPart(name)}`;
        if ('fault' in one) {
          misread.add(pointer);
          faults.push({ pointer, message: one.fault });
        } else if (one.value !== undefined) {
          values[name] = one.value;
          for (const inner of json?.faultsOf(one.value) ?? [])
            faults.push({ pointer: pointer + inner.pointer, message: inner.message });
        }
      }
      if (spellings !== undefined) faults.push(...spellings.faultsOf(new Set(pairs.map(([name]) => name))));
      for (const one of schema.faultsOf(values)) if (!misread.has(one.pointer)) faults.push(one);
      return faults;
    },
  };
}

function spellingOf(
  { value, place, name, pointer }: Parameter,
  names: ReadonlySet<string>,
  document: Json,
): ParameterSpelling {
  const schema = resolved(value['schema'], pointer, document).value;
  const style = typeof value['style'] === 'string' ? value['style'] : DEFAULT_STYLES[place];
  const explode = typeof value['explode'] === 'boolean' ? value['explode'] : style === 'form';
  const own = objectOf(schema['properties']);
  const isOpen = schema['additionalProperties'] !== false;
  const isJson = jsonTypeOf({ value, pointer }) !== undefined;
  const owns = (one: string): boolean => Object.hasOwn(own, one) || (isOpen && !names.has(one));
  return { name, style, explode, kind: kindOf(schema, document), isJson, owns };
}

// Fields that stand for themselves are parameters as any other; those in brackets are parts of one.
function spellingsOf(
  spelled: readonly ParameterSpelling[],
  of: readonly Parameter[],
  document: Json,
): UncheckedSpellings {
  const names = spelled.flatMap(({ name, style, explode, kind }, at) => {
    if (style !== 'form' || !explode || kind !== 'fields') return name;
    const { value, pointer } = of[at] as Parameter;
    return [name, ...Object.keys(objectOf(resolved(value['schema'], pointer, document).value['properties']))];
  });
  return new UncheckedSpellings(
    names,
    spelled.flatMap(({ name, style }) => (style === 'deepObject' ? `${name}[` : [])),
  );
}

const MAX_DEPTH = 8;

function kindOf(schema: Json, document: Json, depth = 0): ParameterKind {
  const types = [schema['type']].flat();
  if (types.includes('array') || schema['items'] !== undefined) return 'list';
  if (types.includes('object') || schema['properties'] !== undefined) return 'fields';
  if (schema['type'] !== undefined || depth > MAX_DEPTH) return 'scalar';
  for (const key of ['allOf', 'oneOf', 'anyOf'])
    for (const one of listOf(schema[key])) {
      const kind = kindOf(resolved(one, '#', document).value, document, depth + 1);
      if (kind !== 'scalar') return kind;
    }
  return 'scalar';
}

function schemaOf(of: readonly Parameter[], use: SchemaUse): CompiledSchema {
  const properties = Object.fromEntries(
    // What is of `content` has to be there if it is required; what is in it is JSON, and checked as such.
    of.map(({ name, value }) => [name, value['content'] === undefined ? (value['schema'] ?? {}) : {}]),
  );
  const required = of.filter(({ value }) => value['required'] === true).map(({ name }) => name);
  const schema = { type: 'object', properties, required };
  const document = { ...(use.document as Json), 'x-gatehouse-parameters': schema };
  return compileSchema({ $ref: '#/x-gatehouse-parameters' }, { ...use, document, coerces: true });
}
