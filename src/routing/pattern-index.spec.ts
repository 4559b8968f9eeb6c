import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { covers, parsePathPattern } from './path-pattern.ts';
import { PatternIndex } from './pattern-index.ts';

const SEGMENTS = ['a', 'b', '{x}', '{y}'];

describe(PatternIndex, () => {
  it('finds what comparing with each pattern finds, in the order in which they were added', () => {
    const random = randomFrom(7);
    const pick = <One>(choices: readonly One[]): One => choices[Math.floor(random() * choices.length)] as One;
    const anyPattern = (): string => {
      const segments = Array.from({ length: Math.floor(random() * 4) }, () => pick(SEGMENTS));
      const distinct = segments.map((one, index) => (one.startsWith('{') ? `{p${index}}` : one));
      const rest = random() < 0.3 ? ['*'] : [];
      const path = `/${[...distinct, ...rest].join('/')}`;
      return /[}*]$/.test(path) && random() < 0.3 ? `${path}:${pick(['go', 'up'])}` : path;
    };
    for (let table = 0; table < 300; table += 1) {
      const patterns = Array.from({ length: 20 }, () => parsePathPattern(anyPattern()));
      const index = new PatternIndex<string>();
      for (const pattern of patterns) index.add(pattern, pattern.source);
      for (const inner of [...patterns, parsePathPattern(anyPattern())]) {
        const compared = patterns.filter((outer) => covers(outer, inner)).map(({ source }) => source);
        expect([inner.source, index.covering(inner)]).toEqual([inner.source, compared]);
      }
    }
  });
});
