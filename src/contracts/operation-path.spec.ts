import { describe, expect, it } from '@jest/globals';
import { parsePathPattern } from '../routing/path-pattern.ts';
import { operationPath } from './operation-path.ts';

const of = (pattern: string) => operationPath(parsePathPattern(pattern));

describe('operationPath', () => {
  it.each([
    ['/', '/', []],
    ['/orders', '/orders', []],
    ['/orders/{id}/items/{item}', '/orders/{id}/items/{item}', ['id', 'item']],
    ['/files/*', '/files/{rest}', ['rest']],
    ['/{rest}/*', '/{rest}/{rest2}', ['rest', 'rest2']],
    ['/orders/{id}:cancel', '/orders/{id}:cancel', ['id']],
    ['/*', '/{rest}', ['rest']],
  ])('writes %s as %s', (pattern, template, names) => {
    expect(of(pattern)).toMatchObject({ template, names });
  });

  it('has one shape for paths that differ in names only', () => {
    expect(of('/a/{id}').shape).toBe(of('/a/{name}').shape);
    expect(of('/a/*').shape).toBe(of('/a/{name}').shape);
    expect(of('/a/{id}:run').shape).not.toBe(of('/a/{id}').shape);
  });
});
