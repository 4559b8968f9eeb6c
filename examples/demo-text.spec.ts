import { describe, expect, it } from '@jest/globals';
import type { styleText } from 'node:util';
import { stepsOf } from './demo-steps.ts';
import { demoText, quietText } from './demo-text.ts';

const FOLDER = '/tmp/gatehouse-Ab3dEf';
const plain = ((_style: unknown, text: string) => text) as typeof styleText;
const [gateway, admin, control] = [
  'http://127.0.0.1:48080',
  'http://127.0.0.1:49080',
  'http://127.0.0.1:44100',
];
const facts = {
  gateway,
  admin,
  second: undefined,
  folder: FOLDER,
  steps: stepsOf({ gateway, admin, control, folder: FOLDER }),
  traffic: true,
  paint: plain,
};

describe('demoText', () => {
  it.each([
    ['alone', facts],
    [
      'with a second gateway',
      { ...facts, second: { gateway: 'http://127.0.0.1:58080', admin: 'http://127.0.0.1:59080' } },
    ],
    ['without traffic', { ...facts, traffic: false }],
  ])('fits one screen %s', (_how, said) => {
    const lines = demoText(said).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it('lists the second gateway with its console', () => {
    const second = { gateway: 'http://127.0.0.1:58080', admin: 'http://127.0.0.1:59080' };
    expect(demoText({ ...facts, second })).toMatch(
      /^ {2}Replica +http:\/\/127\.0\.0\.1:58080\/ .*\n +http:\/\/127\.0\.0\.1:59080\/ /m,
    );
    expect(demoText(facts)).not.toContain('Replica');
  });

  it('numbers its commands, and says how the traffic is', () => {
    const text = demoText(facts);
    const numbers = [...text.matchAll(/^# (\d+)\. /gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(5);
    expect(text).toContain('Sample traffic flows');
    expect(demoText({ ...facts, traffic: false })).toContain('No sample traffic flows');
  });

  it('is an address and nothing else for whoever wants it quiet', () => {
    expect(quietText(facts)).toBe('http://127.0.0.1:48080/\n');
  });
});
