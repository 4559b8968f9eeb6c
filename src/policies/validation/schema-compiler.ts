import type { Ajv, AnySchemaObject, Options, ValidateFunction } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { FormatsPluginOptions } from 'ajv-formats';
import { createRequire } from 'node:module';
import { RE2JS } from 're2js';
import { compileLinear } from '../../config/linear-pattern.ts';
import { pointerPart } from '../../exchange/json-pointer.ts';
import { MAX_ERRORS, type SchemaFault } from './schema.pipe.ts';

/** A JSON Schema (2020-12, or draft-07 where `$schema` says so), compiled once. */
export interface CompiledSchema {
  /** What is wrong with a value; empty for nothing. At most {@link MAX_ERRORS}, of a large value only the first. */
  faultsOf(value: unknown, size?: number): readonly SchemaFault[];
}

/** What a schema is compiled for. */
export interface SchemaUse {
  /** Whether texts stand for numbers and the like, as in a query. Default no. */
  readonly coerces?: boolean;
  /** A document that references lead into; its `#/…` is what they write. */
  readonly document?: AnySchemaObject;
  readonly isDraft07?: boolean;
}

/** Of larger values only the first fault is looked for: a list of them can be larger than the value. */
const LARGE_BYTES = 65_536;
const DOCUMENT = 'gatehouse:document';
const DRAFT_07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;
const LATEST = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

// Linear in the text: a pattern that needs backtracking is refused when it is compiled.
const linear = Object.assign(
  (pattern: string) => {
    const compiled = compileLinear(RE2JS.translateRegExp(pattern));
    // Patterns are told apart by what they are as a text.
    return { test: compiled.finds, toString: () => pattern } as unknown as RegExp;
  },
  { code: 'linear' },
);

/**
 * Compiles a schema.
 *
 * @throws {Error} for what is no schema, for references that lead elsewhere, and for patterns that RE2 does not know.
 */
export function compileSchema(schema: AnySchemaObject, use: SchemaUse = {}): CompiledSchema {
  const isDraft07 = use.isDraft07 ?? isOfDraft07(schema);
  if ('$async' in schema) throw new Error('expected no `$async`');
  const first = compileWith(schema, use, { isDraft07, allErrors: false });
  const all = compileWith(schema, use, { isDraft07, allErrors: true });
  return {
    faultsOf(value, size = 0) {
      const validate = size > LARGE_BYTES ? first : all;
      return validate(value) ? [] : (validate.errors ?? []).slice(0, MAX_ERRORS).map(faultOf);
    },
  };
}

function isOfDraft07({ $schema }: AnySchemaObject): boolean {
  if ($schema === undefined || LATEST.test(String($schema))) return false;
  if (DRAFT_07.test(String($schema))) return true;
  throw new Error('expected `$schema` of draft-07 or 2020-12');
}

type AddFormats = (to: Ajv | Ajv2020, how: FormatsPluginOptions) => void;

// A schema is what loads the libraries: most gateways have none.
const load = createRequire(import.meta.url);

function compileWith(
  schema: AnySchemaObject,
  { coerces, document }: SchemaUse,
  { isDraft07, allErrors }: { readonly isDraft07: boolean; readonly allErrors: boolean },
): ValidateFunction {
  const ajv = ajvWith(isDraft07, {
    allErrors,
    coerceTypes: coerces === true ? 'array' : false,
    code: { regExp: linear },
    // Typing errors in keys are told, but for documents, which have more keys than those of schemas.
    strictSchema: document === undefined,
    validateSchema: false,
  });
  if (document === undefined) {
    requireSchema(schema, isDraft07);
    return ajv.compile(schema);
  }
  ajv.addSchema(document, DOCUMENT, false, false);
  return ajv.compile({ $ref: `${DOCUMENT}${String(schema['$ref'])}` });
}

function ajvWith(isDraft07: boolean, options: Options): Ajv | Ajv2020 {
  const all: Options = {
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
    ...options,
  };
  const ajv = isDraft07
    ? new (load('ajv') as typeof import('ajv')).Ajv(all)
    : new (load('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')).Ajv2020(all);
  const { default: addFormats } = load('ajv-formats') as { readonly default: AddFormats };
  addFormats(ajv, { mode: 'fast' });
  return ajv;
}

/** By dialect. To compile the schema of schemas takes longer than most schemas do, so it is done once. */
const ofSchemas: { latest?: Ajv | Ajv2020; draft07?: Ajv | Ajv2020 } = {};

/** @throws {Error} for what is no schema. */
function requireSchema(schema: AnySchemaObject, isDraft07: boolean): void {
  const dialect = isDraft07 ? 'draft07' : 'latest';
  ofSchemas[dialect] ??= ajvWith(isDraft07, { code: { regExp: linear } });
  ofSchemas[dialect].validateSchema(schema, true);
}

function faultOf(error: NonNullable<ValidateFunction['errors']>[number]): SchemaFault {
  const params = error.params as Readonly<Record<string, unknown>>;
  const name = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  const tail = name === undefined ? '' : `/${pointerPart(String(name))}`;
  return { pointer: error.instancePath + tail, message: error.message ?? 'does not fit' };
}
