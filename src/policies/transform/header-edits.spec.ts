import { describe, expect, it } from '@jest/globals';
import { compileHeaderEdits, editHeaders } from './header-edits.ts';

function edited(headers: string[], options: Parameters<typeof compileHeaderEdits>[0]): string[] {
  const edits = compileHeaderEdits(options)?.fixed;
  if (edits !== undefined) editHeaders(headers, edits);
  return headers;
}

describe('header edits', () => {
  it('are absent when there is nothing to do', () => {
    expect(compileHeaderEdits({})).toBeUndefined();
    expect(compileHeaderEdits({ setHeaders: {}, removeHeaders: [] })).toBeUndefined();
  });

  it('add a field that is not there', () => {
    expect(edited(['a', '1'], { setHeaders: { 'X-B': '2' } })).toEqual(['a', '1', 'x-b', '2']);
  });

  it('replace a field in any spelling, and every line of it', () => {
    expect(edited(['X-B', '1', 'a', '1', 'x-b', '2'], { setHeaders: { 'X-b': '3' } })).toEqual([
      'a',
      '1',
      'x-b',
      '3',
    ]);
  });

  it('remove fields in any spelling, and keep the order of the others', () => {
    expect(edited(['A', '1', 'Server', 'x', 'b', '2', 'SERVER', 'y'], { removeHeaders: ['server'] })).toEqual(
      ['A', '1', 'b', '2'],
    );
  });

  it('set what is also removed', () => {
    expect(edited(['a', '1'], { setHeaders: { a: '2' }, removeHeaders: ['a'] })).toEqual(['a', '2']);
  });

  it('leave values alone that look like names', () => {
    expect(edited(['a', 'server', 'b', 'x'], { removeHeaders: ['server'] })).toEqual([
      'a',
      'server',
      'b',
      'x',
    ]);
  });
});
