import { describe, expect, it } from '@jest/globals';
import type { JsonSchema, OpenApiDocument } from '../openapi.ts';
import { changeLine } from './contract-change.ts';
import { openapiChanges } from './openapi-changes.ts';

/** A document with one operation, as far as a comparison looks. */
function documentOf(operation: object = {}, schemas: object = {}, path = '/things/{id}'): OpenApiDocument {
  const get = {
    operationId: 'things.get',
    security: [{ jwt: [] }],
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
    responses: {
      '200': { description: '', content: { 'application/json': { schema: { type: 'object' } } } },
    },
    ...operation,
  };
  const components = { schemas, responses: {}, headers: {}, securitySchemes: {} };
  return { openapi: '3.1.1', paths: { [path]: { get } }, components } as unknown as OpenApiDocument;
}

function found(before: OpenApiDocument, after: OpenApiDocument): string[] {
  return openapiChanges([before, after]).map((one) => `${one.breaks ? '!' : '?'} ${changeLine(one)}`);
}

const PLACE = 'GET /things/{id}: ';
const withId = (schema: JsonSchema): object => ({
  parameters: [{ name: 'id', in: 'path', required: true, schema }],
});
const withQuery = (...query: object[]): object => ({
  parameters: query.map((one) => ({ in: 'query', schema: {}, ...one })),
});
const withBody = (schema: JsonSchema, more: object = {}): object => ({
  requestBody: { required: true, content: { 'application/json': { schema } }, ...more },
});
const answering = (schema: JsonSchema, more: object = {}): object => ({
  responses: { '200': { description: '', content: { 'application/json': { schema } }, ...more } },
});
const props = (properties: Record<string, JsonSchema>, ...required: string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
});
const TEXT: JsonSchema = { type: 'string' };
const ANSWER = { '200': { description: '' } };
const problem = (...codes: string[]): object => ({ description: '', 'x-gatehouse-codes': codes });

describe('what an operation asks for', () => {
  it.each<[string, object, object, string[]]>([
    ['nothing new', withQuery({ name: 'a' }), withQuery({ name: 'a' }, { name: 'b' }), []],
    ['a new parameter that is required', {}, withQuery({ name: 'a', required: true }), [`! PARAMETER_REMOVED: ${PLACE}path id is no longer taken`, `! PARAMETER_REQUIRED: ${PLACE}query a is new and required`]],
    ['a parameter that is required now', withQuery({ name: 'a' }), withQuery({ name: 'a', required: true }), [`! PARAMETER_REQUIRED: ${PLACE}query a is required`]],
    ['a parameter less', withQuery({ name: 'a' }), { parameters: [] }, [`! PARAMETER_REMOVED: ${PLACE}query a is no longer taken`]],
    ['a header field in another case', { parameters: [{ name: 'X-A', in: 'header', schema: TEXT }] }, { parameters: [{ name: 'x-a', in: 'header', schema: TEXT }] }, []],
    ['values less', withId({ enum: ['a', 'b'] }), withId({ enum: ['b', 'c'] }), [`! VALUE_REMOVED: ${PLACE}path id: it takes no longer "a"`]],
    ['values where it took any', withId(TEXT), withId({ type: 'string', enum: ['a'] }), [`! VALUES_NARROWED: ${PLACE}path id: it takes only "a"`]],
    ['any where it took values', withId({ type: 'string', enum: ['a'] }), withId(TEXT), []],
    ['another type', withId(TEXT), withId({ type: 'integer' }), [`! TYPE_CHANGED: ${PLACE}path id: it takes no longer string`]],
    ['a wider type', withId({ type: 'integer' }), withId({ type: 'number' }), []],
    ['smaller bounds', withId({ type: 'string', maxLength: 9 }), withId({ type: 'string', maxLength: 5, minLength: 1 }), [`! LIMIT_NARROWED: ${PLACE}path id: it has maxLength 5, before 9`, `! LIMIT_NARROWED: ${PLACE}path id: it has minLength 1, before none`]],
    ['larger bounds', withId({ type: 'string', maxLength: 5 }), withId({ type: 'string', maxLength: 9 }), []],
    ['a pattern', withId(TEXT), withId({ type: 'string', pattern: '^a' }), [`! FORM_NARROWED: ${PLACE}path id: it has the pattern ^a`]],
    ['a body', {}, withBody(TEXT), [`! BODY_REQUIRED: ${PLACE}a body is new and required`]],
    ['no body any more', withBody(TEXT), {}, [`! BODY_REMOVED: ${PLACE}no body is taken any more`]],
    ['another media type', withBody(TEXT), { requestBody: { content: { 'text/plain': {} } } }, [`! MEDIA_TYPE_REMOVED: ${PLACE}body as application/json is gone`]],
    ['a property that is required', withBody(props({ a: TEXT })), withBody(props({ a: TEXT, b: TEXT }, 'b')), [`! PROPERTY_REQUIRED: ${PLACE}body: /b is required`]],
    ['a property less, deep inside', withBody({ type: 'array', items: props({ a: TEXT, b: TEXT }) }), withBody({ type: 'array', items: props({ a: TEXT }) }), [`! PROPERTY_REMOVED: ${PLACE}body: /*/b is no longer taken`]],
    ['null no longer', withBody({ anyOf: [TEXT, { type: 'null' }] }), withBody(TEXT), [`! TYPE_CHANGED: ${PLACE}body: it takes no longer null`]],
    ['null as well, written another way', withBody({ anyOf: [TEXT, { type: 'null' }] }), withBody({ type: ['null', 'string'] }), []],
    ['credentials', { security: [] }, {}, [`! CREDENTIALS_REQUIRED: ${PLACE}asks for jwt`]],
    ['other credentials', { security: [{ apiKey: [] }] }, {}, [`! CREDENTIALS_NARROWED: ${PLACE}takes apiKey no longer`]],
    ['no credentials any more', {}, { security: [] }, []],
    ['another role', { 'x-gatehouse-authorization': { anyRole: ['a'] } }, {}, [`? AUTHORIZATION_CHANGED: ${PLACE}asks for {}, before {"anyRole":["a"]}`]],
    ['smaller bodies', { 'x-gatehouse-limits': { bodyBytes: 9 } }, { 'x-gatehouse-limits': { bodyBytes: 5 } }, [`? BODY_LIMIT_LOWERED: ${PLACE}takes bodies up to 5 bytes, before 9`]],
  ])('%s', (_what, before, after, expected) => {
    expect(found(documentOf(before), documentOf(after))).toEqual(expected);
  }); // prettier-ignore
});

describe('what an operation answers', () => {
  it.each<[string, object, object, string[]]>([
    ['a property more', answering(props({ a: TEXT }, 'a')), answering(props({ a: TEXT, b: TEXT }, 'a', 'b')), []],
    ['a property less', answering(props({ a: TEXT, b: TEXT }, 'a')), answering(props({}, '')), [`! PROPERTY_REMOVED: ${PLACE}200: /a is no longer answered`, `! PROPERTY_REMOVED: ${PLACE}200: /b is no longer answered`]],
    ['a property only sometimes', answering(props({ a: TEXT }, 'a')), answering(props({ a: TEXT })), [`! PROPERTY_OPTIONAL: ${PLACE}200: /a may be absent`]],
    ['a section only sometimes', answering({ ...props({ a: TEXT }), 'x-gatehouse-sections': ['a'] }), answering(props({ a: TEXT })), [`! PROPERTY_OPTIONAL: ${PLACE}200: /a may be absent`]],
    ['null', answering(props({ a: TEXT }, 'a')), answering(props({ a: { anyOf: [TEXT, { type: 'null' }] } }, 'a')), [`! TYPE_CHANGED: ${PLACE}200: /a may be null`]],
    ['another type', answering(TEXT), answering({ type: 'integer' }), [`! TYPE_CHANGED: ${PLACE}200: it may be integer`]],
    ['another value', answering({ enum: ['a'] }), answering({ enum: ['a', 'b'] }), [`? VALUE_ADDED: ${PLACE}200: it may also be "b"`]],
    ['a value less', answering({ enum: ['a', 'b'] }), answering({ enum: ['a'] }), []],
    ['larger values', answering({ type: 'integer', maximum: 5 }), answering({ type: 'integer', maximum: 9 }), []],
    ['another status', { responses: { '200': { description: '' } } }, { responses: { '202': { description: '' } } }, [`! STATUS_REMOVED: ${PLACE}200 is no longer answered`, `? STATUS_ADDED: ${PLACE}may answer 202`]],
    ['no JSON any more', answering(TEXT), { responses: { '200': { description: '', content: {} } } }, [`! MEDIA_TYPE_REMOVED: ${PLACE}200 as application/json is gone`]],
    ['a header field less', answering(TEXT, { headers: { Etag: {} } }), answering(TEXT), [`? HEADER_REMOVED: ${PLACE}200 is answered without Etag`]],
    ['a problem more', { responses: { ...ANSWER, '404': problem('a') } }, { responses: { ...ANSWER, '404': problem('a', 'b') } }, [`? PROBLEM_ADDED: ${PLACE}may end with b (404)`]],
    ['a problem less', { responses: { ...ANSWER, '404': problem('a') } }, { responses: ANSWER }, []],
  ])('%s', (_what, before, after, expected) => {
    expect(found(documentOf(before), documentOf(after))).toEqual(expected);
  }); // prettier-ignore
});

describe('a document', () => {
  it('breaks by an operation that is gone, not by other names in its path', () => {
    expect(found(documentOf(), documentOf({}, {}, '/other'))).toEqual([
      `! OPERATION_REMOVED: ${PLACE}is no longer there`,
    ]);
    const parameters = [{ name: 'nr', in: 'path', required: true, schema: TEXT }];
    expect(found(documentOf(), documentOf({ parameters }, {}, '/things/{nr}'))).toEqual([
      `? PARAMETER_RENAMED: ${PLACE}path id is called nr`,
    ]);
    expect(found(documentOf(), documentOf({ operationId: 'things.show' }))).toEqual([
      `? OPERATION_RENAMED: ${PLACE}is called things.show, before things.get`,
    ]);
  });

  it('is followed through references, also of what holds itself', () => {
    const tree = (more: object): object => ({
      Tree: props({ children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } }, ...more }),
      Named: { allOf: [{ $ref: '#/components/schemas/Tree' }, { type: 'object', required: ['name'] }] },
    });
    const named = answering({ $ref: '#/components/schemas/Named' });
    const [before, after] = [documentOf(named, tree({ name: TEXT })), documentOf(named, tree({}))];
    expect(found(before, before)).toEqual([]);
    expect(found(before, after)).toEqual([
      `! PROPERTY_REMOVED: ${PLACE}200: /name is no longer answered`,
      `! PROPERTY_REMOVED: ${PLACE}200: /children/*/name is no longer answered`,
    ]);
  });
});
