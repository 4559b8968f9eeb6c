import { describe, expect, it } from '@jest/globals';
import { streamFormat } from './stream-format.ts';

describe(streamFormat, () => {
  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['application/*', 'application/json'],
    ['text/*', 'text/event-stream'],
    ['TEXT/EVENT-STREAM', 'text/event-stream'],
    ['text/event-stream;q=0.1, application/x-ndjson;q=0.2', 'application/x-ndjson'],
    ['application/ndjson, text/event-stream', 'application/x-ndjson'],
    ['text/event-stream;q=0, */*;q=0.1', 'application/json'],
    ['application/x-ndjson;q=nonsense', 'application/json'],
  ])('chooses for %j %s', (accept, contentType) => {
    expect(streamFormat(accept).contentType).toBe(contentType);
  });
});
