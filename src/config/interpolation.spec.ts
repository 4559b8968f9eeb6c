import { describe, expect, it } from '@jest/globals';
import { interpolate } from './interpolation.ts';

const variables = { HOST: 'users', PORT: '4101', EMPTY: '', TRICK: '${HOST}' };

describe('interpolate', () => {
  it.each([
    ['http://${HOST}:${PORT}/', 'http://users:4101/'],
    ['${NOPE:-fallback}', 'fallback'],
    ['${HOST:-fallback}', 'users'],
    ['${EMPTY:-fallback}', 'fallback'],
    ['a${NOPE:-}b', 'ab'],
    ['${NOPE:-http://a:1/?b={c}', 'http://a:1/?b={c'],
    ['$${HOST}', '${HOST}'],
    ['$HOST and $ {HOST}', '$HOST and $ {HOST}'],
  ])('turns %j into %j', (text, filled) => {
    expect(interpolate(text, variables)).toEqual({ text: filled, problems: [] });
  });

  it('fills in a value once and never what the value refers to', () => {
    expect(interpolate('${TRICK}', variables).text).toBe('${HOST}');
  });

  it('names every variable that is missing, and counts an empty one as missing', () => {
    expect(interpolate('${NOPE}${EMPTY}', variables).problems).toEqual([
      'environment variable NOPE is not set and has no default',
      'environment variable EMPTY is not set and has no default',
    ]);
  });

  it.each(['${}', '${1A}', '${a b}', '${HOST', '${HOST-x}'])('refuses %j', (text) => {
    expect(interpolate(text, variables).problems).toEqual([
      'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${',
    ]);
  });

  it('does not mistake what every object inherits for a variable', () => {
    expect(interpolate('${constructor}', variables).problems).toHaveLength(1);
  });
});
