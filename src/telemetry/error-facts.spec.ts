import { describe, expect, it } from '@jest/globals';
import { errorFacts, errorName, PlainFault } from './error-facts.ts';

/** An error as libraries make them: it quotes what it could not read, and keeps the request. */
function leaky(): Error {
  const error = new SyntaxError('Unexpected "s3cret"\n    at s3cret (s3cret.ts:1:1)');
  return Object.assign(error, { request: { headers: { authorization: 's3cret' } }, detail: 's3cret' });
}

describe(errorName.name, () => {
  it.each([
    [Object.assign(new Error('s3cret'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error('s3cret'), { code: 14 }), '14'],
    [Object.assign(new Error('14 UNAVAILABLE: s3cret'), { code: 14 }), 'UNAVAILABLE'],
    [Object.assign(new Error('INTERNAL: S3CRET: x'), { code: 13 }), 'INTERNAL'],
    [Object.assign(new Error('99 undefined: S3CRET: x'), { code: 99 }), '99'],
    [Object.assign(new Error('s3cret'), { name: 'Problem', code: 'circuit-open' }), 'circuit-open'],
    [Object.assign(new TypeError('s3cret'), { code: 's3cret' }), 'TypeError'],
    [Object.assign(new TypeError('s3cret'), { code: 'S'.repeat(81) }), 'TypeError'],
    [Object.assign(new TypeError('s3cret'), { name: 's3cret: x' }), 'TypeError'],
    [new DOMException('s3cret', 'TimeoutError'), 'TimeoutError'],
    [new PlainFault('the call users.get: expected a list'), 'the call users.get: expected a list'],
    ['s3cret', 'string'],
    [{ code: 'S3CRET' }, 'object'],
    [undefined, 'undefined'],
  ])('names %p as %p', (error, name) => expect(errorName(error)).toBe(name));
});

describe(errorFacts.name, () => {
  it('shows class and places, and nothing that the error quotes or keeps', () => {
    const facts = errorFacts(new Error('s3cret', { cause: leaky() }));
    expect(facts).toMatchObject({ type: 'Error', cause: { type: 'SyntaxError' } });
    expect(facts.stack).toMatch(/^ {4}at .*error-facts\.spec/);
    expect(facts.cause?.stack).toMatch(/^ {4}at leaky /);
    expect(JSON.stringify(facts)).not.toContain('s3cret');
  });

  it('leaves out a stack whose message has been changed since, because it cannot tell where it ends', () => {
    const error = leaky();
    expect(error.stack).toContain('Unexpected');
    error.message = 'another';
    expect(errorFacts(error)).toEqual({ type: 'SyntaxError' });
  });

  it('shows messages to who asked for them, and those that were made for the log to all', () => {
    expect(errorFacts(leaky(), true).message).toContain('s3cret');
    expect(errorFacts('s3cret', true)).toEqual({ type: 'string', message: 's3cret' });
    expect(errorFacts(new PlainFault('plain')).message).toBe('plain');
  });

  it('follows five causes, also in a circle', () => {
    const error = new Error('one');
    error.cause = error;
    let depth = 0;
    for (let at = errorFacts(error).cause; at !== undefined; at = at.cause) depth += 1;
    expect(depth).toBe(5);
  });
});
