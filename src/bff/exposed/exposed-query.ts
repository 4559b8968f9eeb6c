import { z } from 'zod';
import { nearestName } from '../../config/nearest-name.ts';
import { Problem } from '../../problems/problem.ts';
import type { ExposedOptions, ExposedView } from '../exposed-view.ts';
import { capital, SchemaTypes, type ShownType } from '../graphql/types/schema-type.ts';
import { defOf, FIELD_META, peel } from '../graphql/types/peeled-schema.ts';
import { parameterNames } from './exposed-input.ts';

type Schemas = Readonly<Record<string, z.ZodType>>;
type Values = Readonly<Record<string, unknown>>;

/** The parameter of every view over REST. */
const FIELDS = 'fields';
const NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;
/** What texts of a query can stand for. */
const SAID = new Set(['string', 'template_literal', 'number', 'boolean', 'enum', 'literal']);

/** Whether a view takes parameters of a query. */
export function takesQuery({ query = {} }: Pick<ExposedOptions, 'query'>): boolean {
  return Object.keys(query).length > 0;
}

/** @throws {Error} listing what keeps parameters of a query from being what they are said to be. */
export function checkQuery({ view, options }: ExposedView): void {
  const inPath = new Set(parameterNames(options.rest));
  const faults = Object.entries(options.query ?? {}).flatMap(([name, schema]) => {
    const fault = faultOf(name, schema, inPath);
    return fault === undefined
      ? []
      : [`the view ${view.name}: the parameter "${name}" of its query ${fault}`];
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

function faultOf(name: string, schema: unknown, inPath: ReadonlySet<string>): string | undefined {
  if (name === FIELDS) return 'has the name of the one that selects sections; give it another name';
  if (inPath.has(name)) return 'is in its path, too; give one of them another name';
  if (!NAME.test(name)) return 'has no name that GraphQL can have as well: letters, digits and "_"';
  if (!(schema instanceof z.ZodType)) return 'has no schema of zod';
  const core = itemOf(schema) ?? peel(schema).core;
  const { type } = defOf(core);
  if (SAID.has(type) || defOf(peel(core).core).type === 'string') return undefined;
  return `is a ${type}, which no text can stand for; say texts, numbers, booleans, enums, or lists of them`;
}

/** The schema of the elements of a list; undefined for what is none. */
function itemOf(schema: z.ZodType): z.ZodType | undefined {
  const def = defOf<{ element?: z.ZodType }>(peel(schema).core);
  return def.type === 'array' && def.element !== undefined ? peel(def.element).core : undefined;
}

/** What a query says, as a whole; a name that is not among them is a mistake, not a wish. */
const wholeOf = (query: Schemas): z.ZodType<Values> => z.strictObject(query);

/**
 * The schema of the query over REST, for `@Query({ schema })`. It is for documents alone: {@link readQuery} says what is wrong.
 *
 * @see https://standardschema.dev
 */
export function querySchema({ query = {} }: ExposedOptions): object {
  const told = (): object =>
    z.toJSONSchema(wholeOf(query), {
      target: 'draft-2020-12',
      io: 'input',
      override: ({ jsonSchema }) => {
        for (const key of FIELD_META) delete jsonSchema[key];
      },
    });
  const validate = (value: unknown): object => ({ value });
  return {
    '~standard': { version: 1, vendor: 'gatehouse', validate, jsonSchema: { input: told, output: told } },
  };
}

/**
 * What the query of a request says: texts are read as what they stand for, and `fields` is up to the view.
 *
 * @throws {Problem} `request-invalid` naming each that is wrong.
 */
export function readQuery({ query = {} }: ExposedOptions, texts: Values): Values {
  const own = Object.fromEntries(Object.entries(texts).filter(([name]) => name !== FIELDS));
  return checked(query, readTexts(own, query));
}

function readTexts(texts: Values, query: Schemas): Values {
  const entries = Object.entries(texts).map(([name, text]) => {
    const schema = query[name];
    return [name, schema === undefined ? text : readText(text, schema)] as const;
  });
  return Object.fromEntries(entries);
}

function readText(text: unknown, schema: z.ZodType): unknown {
  const item = itemOf(schema);
  if (item === undefined) return valueOf(text, peel(schema).core);
  return [text].flat().map((one) => valueOf(one, item));
}

/** What a text stands for; itself where it does not, so that the schema says what is expected. */
function valueOf(text: unknown, core: z.ZodType): unknown {
  if (typeof text !== 'string') return text;
  const { type, values = [] } = defOf<{ values?: readonly unknown[] }>(core);
  if (type === 'literal') return values.find((one) => String(one) === text) ?? text;
  if (type === 'number') return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return text;
}

/**
 * What the arguments of a query of GraphQL say.
 *
 * @throws {Problem} `request-invalid` naming each that is wrong.
 */
export function readArguments({ query = {} }: ExposedOptions, args: Values): Values {
  // Nothing is said by null either, but where it is a value.
  const said = Object.entries(args).filter(
    ([name, value]) =>
      value !== undefined && (value !== null || query[name]?.safeParse(null).success === true),
  );
  return checked(query, Object.fromEntries(said));
}

function checked(query: Schemas, said: Values): Values {
  const read = wholeOf(query).safeParse(said);
  if (read.success) return read.data;
  const errors = read.error.issues.flatMap(({ path, message, ...issue }) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((parameter) => unknownParameter(parameter, Object.keys(query)))
      : [{ parameter: path.join('.'), detail: message }],
  );
  const detail = errors.map((one) => `${one.parameter}: ${one.detail}`).join('\n');
  throw new Problem('request-invalid', { detail, extensions: { errors } });
}

function unknownParameter(
  parameter: string,
  known: readonly string[],
): { parameter: string; detail: string } {
  const nearest = nearestName(parameter, known);
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  return { parameter, detail: `there is no such parameter${hint}` };
}

/** An argument of a query of GraphQL. */
export interface QueryArgument {
  readonly name: string;
  readonly type: () => ShownType['type'];
  readonly nullable: boolean;
  readonly description?: string;
}

/** The arguments that the parameters of a query are. @throws {Error} listing what GraphQL cannot take. */
export function queryArguments({ view, options }: ExposedView): readonly QueryArgument[] {
  const faults: string[] = [];
  const types = new SchemaTypes(faults);
  const found = Object.entries(options.query ?? {}).flatMap(([name, schema]): QueryArgument[] => {
    const place = { path: `${view.name}.query.${name}`, name: view.name + capital(name), property: name };
    const shown = types.shown(schema, place);
    if (shown === undefined) return [];
    const { type, description } = shown;
    const nullable = schema.safeParse(undefined).success || schema.safeParse(null).success;
    return [{ name, type: () => type, nullable, ...(description === undefined ? {} : { description }) }];
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return found;
}
