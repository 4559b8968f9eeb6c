import { describe, expect, it } from '@jest/globals';
import { readB3, readW3c } from './caller-context.ts';

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';
const SPAN = 'e457b5a2e4d86bd1';

describe('readW3c', () => {
  it('reads both fields, and both flags', () => {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-03`, tracestate: 'a=1' };
    expect(readW3c(headers)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
      random: true,
      debug: false,
      state: ['a=1'],
    });
  });

  it('goes on with a trace whose state cannot be used, without the state', () => {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: 'A=1' };
    expect(readW3c(headers)).toMatchObject({ traceId: TRACE, sampled: false, state: undefined });
  });

  it.each([
    ['no parent', { tracestate: 'a=1' }],
    ['a parent that is not valid', { traceparent: `00-${TRACE}-${SPAN}`, tracestate: 'a=1' }],
  ])('reads nothing of %s', (_, headers) => {
    expect(readW3c(headers)).toBeUndefined();
  });
});

describe('readB3', () => {
  const whole = { traceId: TRACE, spanId: SPAN };
  it.each([
    ['single, sampled', { b3: `${TRACE}-${SPAN}-1` }, { ...whole, sampled: true, debug: false }],
    ['single, not sampled', { b3: `${TRACE}-${SPAN}-0` }, { ...whole, sampled: false }],
    ['single, undecided', { b3: `${TRACE}-${SPAN}` }, { ...whole, sampled: undefined }],
    ['single, with a parent', { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, { ...whole, sampled: true }],
    ['single, debug', { b3: `${TRACE}-${SPAN}-d` }, { ...whole, sampled: true, debug: true }],
    ['single, denied', { b3: '0' }, { traceId: undefined, sampled: false }],
    ['64 bits', { b3: `${SPAN}-${SPAN}-1` }, { traceId: SPAN.padStart(32, '0') }],
    [
      'many',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'true' },
      { ...whole, sampled: true },
    ],
    [
      'many, debug',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
      { ...whole, debug: true },
    ],
    ['many, only a decision', { 'x-b3-sampled': '0' }, { traceId: undefined, sampled: false }],
    ['one before many', { b3: `${TRACE}-${SPAN}-0`, 'x-b3-sampled': '1' }, { ...whole, sampled: false }],
  ])('reads %s', (_, headers, context) => {
    expect(readB3(headers)).toMatchObject(context);
  });

  it.each([
    ['zeros', { b3: `${'0'.repeat(32)}-${SPAN}-1` }],
    ['a short span', { b3: `${TRACE}-${SPAN.slice(1)}-1` }],
    ['other words', { b3: 'hello' }],
    ['a trace alone', { 'x-b3-traceid': TRACE }],
    ['a span that is none', { 'x-b3-traceid': TRACE, 'x-b3-spanid': 'x' }],
    ['nothing', {}],
  ])('reads nothing of %s', (_, headers) => {
    expect(readB3(headers)).toBeUndefined();
  });
});
