import { describe, expect, it } from '@jest/globals';
import { placesOf, siteOfTeam } from './code-site.ts';

class Placed {
  member(): number {
    return 1;
  }
}

describe('placesOf', () => {
  it('finds the lines of classes, methods and sites in the text that somebody wrote', () => {
    const file = 'src/config/code-site.spec.ts';
    expect(placesOf([Placed, Placed.prototype.member, undefined, siteOfTeam()])).toEqual([
      { file, line: 4 },
      { file, line: 5 },
      undefined,
      { file, line: 13 },
    ]);
  });

  it('knows nothing of what the engine itself brings', () => {
    expect(placesOf([Array.prototype.map, { scriptId: '0', line: 1, column: 1 }])).toEqual([
      undefined,
      undefined,
    ]);
  });
});
