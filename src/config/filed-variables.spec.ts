import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from './env.schema.ts';
import { FILED_VARIABLES } from './filed-variables.ts';

const PASSWORD = 'hunter2-of-redis';
let folder: string;
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-filed-'));
  writeFileSync(path('redis'), `redis://gateway:${PASSWORD}@redis.internal:6379\n`);
  writeFileSync(path('bad'), `http://gateway:${PASSWORD}@redis.internal\n`);
  writeFileSync(path('empty'), '\n');
  writeFileSync(path('headers'), 'authorization=Bearer%20all,x-tenant=one\n');
  writeFileSync(path('traces'), 'authorization=Bearer%20traces');
});
afterAll(() => rmSync(folder, { recursive: true }));

function faults(env: Record<string, string>): string {
  try {
    readEnvironment(env);
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('REDIS_URL_FILE', () => {
  it('says what REDIS_URL would, and goes with what is said beside that', () => {
    const environment = readEnvironment({ REDIS_URL_FILE: path('redis'), WORKERS: '2' });
    expect(environment.redisUrl).toBe(`redis://gateway:${PASSWORD}@redis.internal:6379`);
    expect(environment.workers).toBe(2);
  });

  it('is refused by its own name when what it holds is no address, which is not shown', () => {
    const told = faults({ REDIS_URL_FILE: path('bad') });
    expect(told).toContain('environment  REDIS_URL_FILE  expected redis:// or rediss:// and a host');
    expect(told).not.toContain(PASSWORD);
  });
});

describe.each(FILED_VARIABLES)('%s_FILE', (name) => {
  it.each([
    ['beside the variable', () => ({ [name]: 'redis://one' }), `expected one of ${name} and ${name}_FILE`],
  ])('is a fault %s', (_, more, message) => {
    expect(faults({ ...more(), [`${name}_FILE`]: path('redis') })).toContain(`${name}_FILE  ${message}`);
  });

  it('is a fault when the file is not there, or empty', () => {
    expect(faults({ [`${name}_FILE`]: path('none') })).toContain(
      `${name}_FILE  cannot read ${path('none')} (ENOENT)`,
    );
    expect(faults({ [`${name}_FILE`]: path('empty') })).toContain(`which is empty`);
  });
});

describe('OTEL_EXPORTER_OTLP_HEADERS_FILE', () => {
  const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

  it('has the fields for the collector; those for traces go before', () => {
    const env = {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS_FILE: path('headers'),
      OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE: path('traces'),
    };
    expect(readEnvironment(env).otel?.headers).toEqual({ authorization: 'Bearer traces', 'x-tenant': 'one' });
  });

  it('goes with a variable for traces', () => {
    const env = {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS_FILE: path('headers'),
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=two',
    };
    expect(readEnvironment(env).otel?.headers).toEqual({ authorization: 'Bearer all', 'x-tenant': 'two' });
  });

  it('is not needed: the exporter reads the variables itself', () => {
    expect(readEnvironment({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }).otel?.headers).toBeUndefined();
  });
});
