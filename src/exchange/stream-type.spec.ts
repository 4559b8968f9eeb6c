import { describe, expect, it } from '@jest/globals';
import { isStreamType } from './stream-type.ts';

describe('a media type', () => {
  it.each([
    'text/event-stream',
    'Text/Event-Stream; charset=utf-8',
    'application/x-ndjson',
    'application/json-seq',
    'application/grpc',
    'application/grpc+proto',
    'application/grpc-web-text+proto',
    'application/connect+json',
    'multipart/x-mixed-replace; boundary=x',
    'multipart/mixed; boundary=graphql; subscriptionSpec=1.0',
  ])('%s is that of a stream', (type) => {
    expect(isStreamType(type)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'application/json',
    'application/octet-stream',
    'text/event-stream-not',
    'multipart/mixed; boundary=x',
    'application/jsonlines-of-mine',
  ])('%s is not', (type) => {
    expect(isStreamType(type)).toBe(false);
  });
});
