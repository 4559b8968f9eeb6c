import { describe, expect, it } from '@jest/globals';
import { ConfigError, formatFaults, type ConfigFault } from './config-fault.ts';

const late: ConfigFault = {
  file: 'a.yaml',
  line: 12,
  column: 7,
  key: 'routes[users].x',
  message: 'unknown key',
};
const early: ConfigFault = { file: 'a.yaml', line: 9, column: 1, key: '', message: 'expected a map' };
const typo: ConfigFault = { ...late, column: 3, key: 'b', suggestion: 'rateLimit' };

describe('formatFaults', () => {
  it('prints one line per fault by position and counts them', () => {
    expect(formatFaults([late, typo, early])).toBe(
      [
        'a.yaml:9:1  expected a map',
        'a.yaml:12:3  b  unknown key; did you mean "rateLimit"?',
        'a.yaml:12:7  routes[users].x  unknown key',
        '3 faults in a.yaml',
      ].join('\n'),
    );
  });

  it('counts without naming a file when there are several, and knows the singular', () => {
    expect(
      formatFaults([late, { ...early, file: 'b.yaml' }])
        .split('\n')
        .at(-1),
    ).toBe('2 faults');
    expect(formatFaults([late]).split('\n').at(-1)).toBe('1 fault in a.yaml');
  });

  it('leaves out a position that a fault does not have', () => {
    expect(formatFaults([{ file: 'environment', key: 'PORT', message: 'expected a port' }])).toMatch(
      /^environment {2}PORT {2}expected a port\n/,
    );
  });

  it('colors only when asked', () => {
    expect(formatFaults([typo])).not.toContain('\u001b[');
    expect(formatFaults([typo], { color: true })).toContain('\u001b[36ma.yaml:12:3');
  });
});

describe('ConfigError', () => {
  it('carries the faults by position and prints them all', () => {
    const error = new ConfigError([late, early]);
    expect(error.faults).toEqual([early, late]);
    expect(error.message).toBe(formatFaults([early, late]));
    expect(error.name).toBe('ConfigError');
  });
});
