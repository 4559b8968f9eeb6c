import { beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import { createLogger } from '../telemetry/logger.ts';
import { ReflectionReport } from './reflection-report.ts';

const [WARN, INFO, DEBUG] = [40, 30, 20];
let lines: Record<string, unknown>[];
let report: ReflectionReport;

beforeEach(() => {
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  report = new ReflectionReport({ route: 'orders', upstream: 'shop' }, createLogger('debug', { write }));
});

const grpcError = (code: number, message: string): Error => Object.assign(new Error(message), { code });
const levels = (): unknown[] => lines.map(({ level }) => level);

describe('ReflectionReport', () => {
  it('warns with target and reason, and no stack', () => {
    report.failed('a:1', grpcError(14, '14 UNAVAILABLE: words of the target'));
    expect(lines).toEqual([
      { level: WARN, time: expect.any(Number), route: 'orders', upstream: 'shop', target: 'a:1', reason: 'UNAVAILABLE', msg: 'server reflection failed' },
    ]); // prettier-ignore
  });

  it('repeats the same reason at debug, with the stack', () => {
    for (const seconds of [10.001, 10.02, 9.9]) {
      report.failed('a:1', grpcError(4, `4 DEADLINE_EXCEEDED: Deadline exceeded after ${seconds}s`));
    }
    expect(levels()).toEqual([WARN, DEBUG, DEBUG]);
    expect(lines[1]).toMatchObject({ err: { stack: expect.stringContaining('reflection-report.spec.ts') } });
  });

  it('warns of each new reason, and of each target', () => {
    report.failed('a:1', new Error('gone'));
    report.failed('b:1', new Error('gone'));
    report.failed('a:1', new Error('gone'));
    report.failed('a:1', new PlainFault('not found: shop.v1.Orders'));
    expect(levels()).toEqual([WARN, WARN, DEBUG, WARN]);
  });

  it('tells when a target works again, once, and warns anew when it fails after that', () => {
    report.worked('a:1');
    report.failed('a:1', new Error('gone'));
    report.worked('b:1');
    report.worked('a:1');
    report.worked('a:1');
    report.failed('a:1', new Error('gone'));
    expect(levels()).toEqual([WARN, INFO, WARN]);
    expect(lines[1]).toMatchObject({ target: 'a:1', msg: 'server reflection works again' });
  });

  it('speaks of no target while none may be asked, until any works', () => {
    report.failed(undefined, new Problem('circuit-open'));
    report.failed(undefined, new Problem('circuit-open'));
    report.worked('a:1');
    expect(levels()).toEqual([WARN, DEBUG, INFO]);
    expect(lines[0]).toMatchObject({ target: 'none' });
  });
});
