import { describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { compilePathTemplate } from './path-template.ts';

describe(compilePathTemplate.name, () => {
  it('fills in and encodes parameters', () => {
    const path = compilePathTemplate<{ org: string; id: number }>('/orgs/{org}/users/{id}/roles', []);
    expect(path({ org: 'a/b ?#%é', id: 7 })).toBe('/orgs/a%2Fb%20%3F%23%25%C3%A9/users/7/roles');
  });

  it('adds the query in the declared order and leaves out what is absent', () => {
    const path = compilePathTemplate<{ a?: string; b?: number; c?: string[] }>('/x', ['a', 'b', 'c']);
    expect(path({ c: ['1', '2&3'], a: 'ü=' })).toBe('/x?a=%C3%BC%3D&c=1%2C2%263');
    expect(path({ b: 0 })).toBe('/x?b=0');
    expect(path({})).toBe('/x');
  });

  it.each([
    '',
    '.',
    '..',
    '.. ',
    '\t..',
    '..;',
    '%2e.',
    '..%20',
    '../admin',
    'a%2F..%5Cb',
    undefined,
    '\ud800',
  ])('refuses %j as a part of a path', (id) => {
    const path = compilePathTemplate<{ id: string | undefined }>('/users/{id}', []);
    expect(() => path({ id })).toThrow(
      new Problem('request-invalid', { detail: 'id cannot be part of a path' }),
    );
  });

  it.each(['users', '/users/{id', '/users/{}', '/users/id}'])('refuses the template %s', (template) => {
    expect(() => compilePathTemplate(template, [])).toThrow(`"${template}"`);
  });
});
