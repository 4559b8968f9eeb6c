import type { FakeAnswer } from '../simulate/answers.schema.ts';
import { noAnswer, FakeFault, type AnswerSource } from './answer-source.ts';
import { OpenapiDocument, type FoundOperation } from './openapi-document.ts';
import { schemaValue, type Schema, type SchemaContext } from './schema-value.ts';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

/** Answers made of an OpenAPI document, 3.0 or 3.1. @throws {FakeFault} for what is none. */
export function openapiSource(value: unknown, file: string): AnswerSource {
  const version = (value as Schema | null)?.['openapi'];
  if (typeof version !== 'string' || !/^3\.\d/.test(version))
    throw new FakeFault(`${file}: expected \`openapi\` 3.0 or 3.1, found ${JSON.stringify(version) ?? 'none'}`);
  const document = new OpenapiDocument(value);
  return {
    told: `OpenAPI ${file}`,
    file,
    answer({ method, path }) {
      const [before = ''] = path.split('?');
      const found = document.find(method, before);
      return found === undefined ? noAnswer(`${file} has no ${method} ${before}`) : answerOf(found, document);
    },
  };
} // prettier-ignore

function answerOf({ operation, parameters }: FoundOperation, document: OpenapiDocument): FakeAnswer {
  const responses = Object.entries((operation['responses'] ?? {}) as Schema);
  const [code, given] = responses.toSorted(([one], [other]) => rank(one) - rank(other))[0] ?? ['200', {}];
  const response = document.resolve(given) ?? {};
  const context: SchemaContext = { resolve: (schema) => document.resolve(schema), known: parameters };
  const status = /^[2-5]\d\d$/.test(code) ? Number(code) : /^[2-5]XX$/i.test(code) ? Number(`${code[0]}00`) : 200;
  const headers = headersOf(response, context);
  const content = Object.entries((response['content'] ?? {}) as Schema);
  const [type, media] = content.find(([one]) => JSON_TYPE.test(one)) ?? content[0] ?? [];
  if (type === undefined || status === 204 || status === 304) return { status, headers, delay: 0 };
  return { status, headers: { ...headers, 'content-type': type.includes('*') ? 'application/json' : type }, body: bodyOf(type, media, context), delay: 0 };
} // prettier-ignore

// The first success, in order of its code; whatever else there is where no success is described.
function rank(code: string): number {
  if (/^2\d\d$/.test(code)) return Number(code);
  if (/^2XX$/i.test(code)) return 300;
  return code === 'default' ? 301 : 1000;
}

function headersOf(response: Schema, context: SchemaContext): Record<string, string> {
  const headers = Object.entries((response['headers'] ?? {}) as Schema).flatMap(([name, given]) => {
    const header = context.resolve(given);
    if (header === undefined || /^content-(?:type|length|encoding)$/i.test(name)) return [];
    const value = header['example'] ?? schemaValue(header['schema'] ?? {}, context, name);
    return typeof value === 'object' ? [] : [[name.toLowerCase(), oneLine(String(value))] as const];
  });
  return Object.fromEntries(headers);
}

function bodyOf(type: string, media: unknown, context: SchemaContext): string {
  const { example, examples, schema = {} } = context.resolve(media) ?? {};
  const [first] = Object.values((examples ?? {}) as Schema);
  const value = example ?? context.resolve(first)?.['value'] ?? schemaValue(schema, context);
  const isText = typeof value === 'string' && !JSON_TYPE.test(type);
  return isText ? value : JSON.stringify(value);
}

function oneLine(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e]/g, '?');
}
