import { describe, expect, it } from '@jest/globals';
import { HELP } from './help.ts';
import { helpOf } from './help-topic.ts';

const COMMANDS = [...new Set(HELP.match(/(?<=^ {2}gatehouse )[a-z-]+/gm))];

describe('the help of one command', () => {
  it.each(COMMANDS)('of %s fits 80 columns, and has its usage, words and options', (command) => {
    const text = helpOf(command);
    const lines = text.split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(lines.length).toBeLessThan(60);
    const options = text.slice(text.indexOf('\nOptions\n'));
    // Everything that the whole help says of it is there, however its lines are broken.
    const words = (one: string): string => one.replace(/\s+/g, ' ');
    for (const usage of HELP.match(new RegExp(`^  gatehouse ${command}\\b.*$`, 'gm')) ?? [])
      expect(words(text)).toContain(words(usage.slice(0, 38)).trim());
    expect(options.includes('--token-file FILE')).toBe(text.includes('--admin URL'));
    expect(options.includes('--config FILE')).toBe(text.includes('[--config FILE'));
    expect(text).not.toContain('gatehouse start'.replace('start', command === 'start' ? 'quota' : 'start'));
  });

  it('has what several commands share, and all lines of one', () => {
    expect(helpOf('eject')).toContain('gatehouse breaker open|close UPSTREAM TARGET');
    expect(helpOf('keys')).toMatch(/keys create[^]*make an API key[^]*keys revoke[^]*at\s+all replicas/);
    expect(helpOf('quota')).toContain('[--cursor CURSOR] [--json] [--admin URL]\n');
  });

  it('is all of the help for a word that is no command', () => {
    expect([helpOf(undefined), helpOf('strat'), helpOf('--help')]).toEqual([HELP, HELP, HELP]);
  });
});
