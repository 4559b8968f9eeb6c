import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What a file imports of ours, with what it loads later. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:^import|^export)\s(?!type\b)[^;]*?from '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm);
  return [...found].map(([, first, later]) => join(dirname(file), first ?? later ?? ''));
} // prettier-ignore

function reachedFrom(file: string): ReadonlySet<string> {
  const reached = new Set([file]);
  for (const one of reached) for (const next of importsOf(one)) reached.add(next);
  return reached;
}

const inSimulate = (files: ReadonlySet<string>): string[] =>
  [...files].map((file) => relative('src', file)).filter((file) => /^(?:simulate|testing)\//.test(file));

describe('a simulation', () => {
  // It plays issuers and puts clocks in the place of those of the process: no gateway that serves may even load it.
  it.each(['src/main.ts', 'src/cli/start.ts', 'src/routes/index.ts'])('cannot be reached from %s', (file) => {
    const reached = reachedFrom(file);
    expect(reached.size).toBeGreaterThan(3);
    expect(inSimulate(reached)).toEqual([]);
  });

  it('is reached from the kit for tests of teams, which no file of a gateway loads', () => {
    const reached = inSimulate(reachedFrom('src/testing/index.ts'));
    expect(reached).toContain('simulate/simulated-identity.ts');
    expect(reached).toContain('testing/fakes/fake-http.ts');
  });

  it('is reached from its command', () => {
    expect(inSimulate(reachedFrom('src/cli/simulate.ts'))).toContain('simulate/simulated-identity.ts');
  });
});
