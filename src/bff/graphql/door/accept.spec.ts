import { describe, expect, it } from '@jest/globals';
import { negotiate, prefersStream } from './accept.ts';

const GRAPHQL = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';

describe('the media type of an answer', () => {
  it.each([
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    [JSON_TYPE, JSON_TYPE],
    [GRAPHQL, GRAPHQL],
    [`${GRAPHQL}, ${JSON_TYPE}`, GRAPHQL],
    [`${JSON_TYPE}, ${GRAPHQL}`, GRAPHQL],
    [`${GRAPHQL};q=0.5, ${JSON_TYPE}`, JSON_TYPE],
    [`${GRAPHQL}; charset=utf-8, ${JSON_TYPE};q=0.9`, GRAPHQL],
    [`${GRAPHQL}; charset="utf-8"`, GRAPHQL],
    [`${GRAPHQL}; charset=latin1, ${JSON_TYPE}`, JSON_TYPE],
    [`${GRAPHQL};q=0, */*`, JSON_TYPE],
    [`${JSON_TYPE};q=0, ${GRAPHQL}`, GRAPHQL],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', JSON_TYPE],
    ['APPLICATION/JSON', JSON_TYPE],
    ['text/html', undefined],
    ['application/json;q=0', undefined],
    ['*/*;q=0', undefined],
    ['', undefined],
    ['x-application/graphql-response+json-not', undefined],
  ])('for %p is %p', (accept, chosen) => {
    expect(negotiate(accept)).toBe(chosen);
    expect(negotiate(accept)).toBe(chosen);
  });
});

describe('a stream', () => {
  it.each([
    ['text/event-stream', true],
    ['Text/Event-Stream', true],
    ['text/event-stream, multipart/mixed', true],
    ['text/event-stream, */*;q=0.1', true],
    [`text/event-stream, ${JSON_TYPE};q=0.9`, true],
    [`${GRAPHQL}, ${JSON_TYPE}, text/event-stream, multipart/mixed`, false],
    ['text/event-stream, */*', false],
    ['text/event-stream;q=0', false],
    [`text/event-stream;q=0.5, ${GRAPHQL}`, false],
    [JSON_TYPE, false],
    ['*/*', false],
    ['', false],
    [undefined, false],
  ])('for %p is wanted: %p', (accept, wanted) => {
    expect(prefersStream(accept)).toBe(wanted);
  });
});
