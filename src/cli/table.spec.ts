import { describe, expect, it } from '@jest/globals';
import { renderTable } from './table.ts';

describe('renderTable', () => {
  it('lines columns up under the names of the fields', () => {
    expect(
      renderTable([
        { id: 'users', methods: 'GET,POST', path: '/users' },
        { id: 'a', methods: '*', path: '/a/very/long/path' },
      ]),
    ).toBe(
      ['ID     METHODS   PATH', 'users  GET,POST  /users', 'a      *         /a/very/long/path', ''].join(
        '\n',
      ),
    );
  });

  it('leaves no space at the end of a line', () => {
    expect(renderTable([{ a: 'long', b: '' }])).toBe('A     B\nlong\n');
  });

  it('says so when there is nothing', () => {
    expect(renderTable([])).toBe('no routes\n');
  });
});
