import { describe, expect, it } from '@jest/globals';
import { patternOf } from './likeness.ts';

describe('what a page shows', () => {
  it.each([
    ['the same text', 'a (b) [c]\n', 'a (b) [c]\n'],
    ['another time', 'until 2026-11-27T22:16:01.528Z, then info', 'until 2031-01-02T03:04:05Z, then info'],
    ['another address', 'http://127.0.0.1:4102/x', 'http://127.0.0.1:51234/x'],
    ['what is left out of a line', 'a …, c', 'a b, c'],
    ['lines that are left out', 'a\n…\nd\n', 'a\nb\nc\nd\n'],
    ['no line where lines are left out', 'a\n…\n', 'a\n'],
  ])('is like %s', (_what, shown, printed) => {
    expect(printed).toMatch(patternOf(shown));
  });

  it.each([
    ['another text', 'valid, 1 route', 'valid, 2 routes'],
    ['more than it shows', 'a\n', 'a\nb\n'],
    ['less', 'a\nb\n', 'a\n'],
    ['two addresses where it shows one twice', '10.0.0.1:1 10.0.0.1:1', '10.0.0.1:1 10.0.0.2:2'],
    ['something else than a time', 'at 2026-11-27T22:16:01.528Z', 'at noon'],
    ['another line where a part of one is left out', 'a … c', 'a b\nc'],
  ])('is not like %s', (_what, shown, printed) => {
    expect(printed).not.toMatch(patternOf(shown));
  });

  it('varies in what is said to vary', () => {
    const pattern = patternOf('812 exchanges, 3 left out', [/\d+(?= exchanges)/]);
    expect('7 exchanges, 3 left out').toMatch(pattern);
    expect('7 exchanges, 4 left out').not.toMatch(pattern);
  });
});
