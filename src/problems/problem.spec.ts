import { describe, expect, it } from '@jest/globals';
import { catalogue, type ProblemCode } from './catalogue.ts';
import { Problem, problemBody, retryAfterSeconds } from './problem.ts';

const codes = Object.keys(catalogue) as ProblemCode[];

describe('the catalogue', () => {
  it.each(codes)('says all of %s in full sentences', (code) => {
    const { status, title, cause, remedy, stage } = catalogue[code];
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(cause).toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
    expect(stage).toMatch(/^[a-z]+$/);
  });
});

describe('problemBody', () => {
  it.each(codes)('renders %s by RFC 9457', (code) => {
    expect(problemBody(new Problem(code), 'id-1')).toEqual({
      type: `urn:gatehouse:problem:${code}`,
      title: catalogue[code].title,
      status: catalogue[code].status,
      instance: 'urn:gatehouse:exchange:id-1',
      code,
    });
  });

  it('adds detail and extensions, never the cause', () => {
    const cause = new Error('connect ECONNREFUSED 10.1.2.3:5432');
    const problem = new Problem('request-invalid', {
      detail: 'Two fields are wrong.',
      extensions: { errors: [{ pointer: '/a' }] },
      cause,
    });
    const body = problemBody(problem, 'id-1');
    expect(body).toMatchObject({ detail: 'Two fields are wrong.', errors: [{ pointer: '/a' }] });
    expect(JSON.stringify(body)).not.toMatch(/10\.1\.2\.3|stack|cause/);
    expect(problem.cause).toBe(cause);
  });
});

describe('Problem', () => {
  it('captures no stack, and leaves stacks to others', () => {
    expect(new Problem('rate-limited').stack).not.toMatch(/\n\s+at /);
    expect(new Error('other').stack).toMatch(/\n\s+at /);
  });

  it('is an error whose message is its detail, or else its title', () => {
    expect(new Problem('conflict').message).toBe(catalogue.conflict.title);
    expect(new Problem('conflict', { detail: 'x' })).toMatchObject({
      message: 'x',
      name: 'Problem',
      status: 409,
    });
  });
});

describe('retryAfterSeconds', () => {
  it.each([
    [0, '1'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [59_999, '60'],
  ])('makes of %i ms %s s', (ms, seconds) => {
    expect(retryAfterSeconds(ms)).toBe(seconds);
  });
});
