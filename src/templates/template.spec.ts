import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal, type TestRequest } from '../../test/support/exchange.ts';
import { parseTemplate } from './parse-template.ts';
import { compileTemplate, type Place } from './template.ts';

const PLAIN: Place = { write: (text) => (text === 'bad' ? undefined : text), misfit: 'cannot stand here' };

const fill = (text: string, of: TestRequest = {}): string =>
  compileTemplate(text, { parameters: ['id'] }, PLAIN).fill(
    Object.assign(createExchange(of), { params: ['a%20b'] }),
  );

describe('the grammar', () => {
  it.each([
    ['', [''], []],
    ['plain', ['plain'], []],
    ['{a}', ['', ''], [{ name: 'a', fallback: undefined }]],
    [
      'x{a.b}y{c|d|e}',
      ['x', 'y', ''],
      [
        { name: 'a.b', fallback: undefined },
        { name: 'c', fallback: 'd|e' },
      ],
    ],
    ['{a|}', ['', ''], [{ name: 'a', fallback: '' }]],
    ['{{a}}', ['{a}'], []],
    ['{{{a}}}', ['{', '}'], [{ name: 'a', fallback: undefined }]],
    ['{"a":1}'.replace('{', '{{').replace('}', '}}'), ['{"a":1}'], []],
  ])('takes %j apart', (text, literals, placeholders) => {
    expect(parseTemplate(text)).toEqual({ literals, placeholders });
  });

  it.each([
    ['{a', 1],
    ['a}', 2],
    ['{a{b}', 1],
    ['x{a}}', 5],
    ['{', 1],
    ['{{{', 3],
  ])('refuses %j, and says where', (text, at) => {
    expect(() => parseTemplate(text)).toThrow(`got "${text}" with one at character ${at}`);
  });
});

describe('a template', () => {
  it.each([
    ['{id}', {}, 'a b'],
    ['{query.q}', { target: '/?q=a%26b' }, 'a&b'],
    ['{request.query.q}', { target: '/?q=1' }, '1'],
    ['{header.X-A}{request.header.x-a}', { headers: ['x-a', '1'] }, '11'],
    [
      '{request.method} {request.path} {request.host} {request.scheme}',
      { target: '/p?q', method: 'PUT', host: 'h' },
      'PUT /p h http',
    ],
    ['{client.address} {exchange.id}', {}, '203.0.113.7 exchange-1'],
    ['{route.id|none}', {}, 'none'],
    [
      '{principal.clientId} {principal.tier|free}',
      { principal: createPrincipal('x', { clientId: 'app' }) },
      'app free',
    ],
  ])('fills %s', (text, of, expected) => {
    expect(fill(text, of)).toBe(expected);
  });

  it('takes no application for the user of its name', () => {
    const principal = createPrincipal('root', { scheme: 'apiKey' });
    expect(() => fill('{principal.id}', { principal })).toThrow(
      expect.objectContaining({ code: 'permission-denied' }),
    );
  });

  it.each([
    ['{query.q}', { target: '/' }],
    ['{query.q}', { target: '/?q=' }],
    ['{query.q}', { target: '/?q=1&q=2' }],
    ['{query.q}', { target: '/?q=bad' }],
    ['{header.x-a}', { headers: ['x-a', ''] }],
  ])('refuses %s of %j, rather than filling in nothing', (text, of) => {
    expect(() => fill(text, of)).toThrow(expect.objectContaining({ code: 'request-invalid' }));
    const template = compileTemplate(text, {}, PLAIN);
    expect(template.fillIfThere(createExchange(of))).toBeUndefined();
  });

  it('has the value of each request, whichever was read before', () => {
    expect([1, 2, 1].map((q) => fill('{query.q}', { target: `/?q=${q}` }))).toEqual(['1', '2', '1']);
  });

  it.each([
    '{target.label.x}',
    '{item}',
    '{nope}',
    '{}',
    '{|x}',
    '{client.ip}',
    '{id.x}',
    '{ id }',
    '{header.a b}',
    '{query.q|bad}',
  ])('refuses %s', (text) => {
    expect(() => compileTemplate(text, { parameters: ['id'] }, PLAIN)).toThrow(
      expect.objectContaining({ name: 'TemplateError' }),
    );
  });
});
