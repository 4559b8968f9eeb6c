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

  it('puts a row below another where a terminal is too narrow, so that no line is broken', () => {
    const rows = [
      { id: 'users', methods: 'GET,POST', path: '/users' },
      { id: 'a', methods: '*', path: '' },
    ];
    expect(renderTable(rows, { columns: 23 })).toBe(renderTable(rows));
    expect(renderTable(rows, { columns: 22 })).toBe(
      ['users', '  METHODS  GET,POST', '  PATH     /users', 'a', '  METHODS  *', '  PATH', ''].join('\n'),
    );
  });

  it('says so when there is nothing', () => {
    expect(renderTable([])).toBe('no routes\n');
  });
});
