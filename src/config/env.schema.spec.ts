import { describe, expect, it } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { ConfigError } from './config-fault.ts';
import { readEnvironment } from './env.schema.ts';

function faultLines(env: Record<string, string>): string[] {
  try {
    readEnvironment(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(0, -1);
    throw error;
  }
}

describe('readEnvironment', () => {
  it('has a default for everything', () => {
    expect(readEnvironment({})).toEqual({
      port: 8080,
      host: '0.0.0.0',
      adminPort: 9080,
      adminHost: '127.0.0.1',
      redisUrl: undefined,
      redisTimeoutMs: 10,
      logLevel: 'info',
      configFile: 'config/gateway.yaml',
      injectsFaults: false,
      mode: 'development',
      workerTimeoutMs: 30_000,
      metricsMaxSeries: 20_000,
      drainDelayMs: 1000,
      workers: 1,
      shutdownTimeoutMs: 10_000,
      composesHeads: true,
      watchesConfig: true,
    });
  });

  it('reads every variable and ignores those of others', () => {
    const env = {
      PORT: '0',
      HOST: '::1',
      ADMIN_PORT: '65535',
      ADMIN_HOST: 'localhost',
      ADMIN_TOKENS_FILE: '/run/operators.yaml',
      ADMIN_HOSTS: 'ops.example, https://ops.example:8443',
      ADMIN_TOKEN_FILE: '/run/own.token',
      REDIS_URL: 'rediss://user:secret@redis.internal:6380/2',
      REDIS_TIMEOUT: '25ms',
      LOG_LEVEL: 'silent',
      GATEHOUSE_CONFIG: '/etc/gatehouse.yaml',
      NODE_ENV: 'production',
      DRAIN_DELAY: '5s',
      SHUTDOWN_TIMEOUT: '1m',
      GATEHOUSE_WATCH: 'off',
      ANSWER_HEADS: 'node',
      WORKERS: '4',
      WORKER_TIMEOUT: 'off',
      METRICS_MAX_SERIES: '5000',
      PATH: '/bin',
    };
    expect(readEnvironment(env)).toEqual({
      port: 0,
      host: '::1',
      adminPort: 65_535,
      adminHost: 'localhost',
      admin: {
        tokensFile: '/run/operators.yaml',
        hosts: ['ops.example', 'https://ops.example:8443'],
        tokenFile: '/run/own.token',
      },
      redisUrl: 'rediss://user:secret@redis.internal:6380/2',
      redisTimeoutMs: 25,
      logLevel: 'silent',
      configFile: '/etc/gatehouse.yaml',
      injectsFaults: false,
      mode: 'production',
      workers: 4,
      workerTimeoutMs: Infinity,
      metricsMaxSeries: 5000,
      drainDelayMs: 5000,
      shutdownTimeoutMs: 60_000,
      composesHeads: false,
      watchesConfig: false,
    });
  });

  it('takes empty and blank variables for unset ones', () => {
    expect(readEnvironment({ PORT: '', REDIS_URL: '  ', LOG_LEVEL: '' })).toEqual(readEnvironment({}));
  });

  it('returns an object that nobody can change', () => {
    expect(Object.isFrozen(readEnvironment({}))).toBe(true);
  });

  it('lists all bad variables at once, with what was expected and what was given', () => {
    const env = {
      PORT: '80a',
      ADMIN_PORT: '70000',
      HOST: 'http://x',
      LOG_LEVEL: 'inof',
      NODE_ENV: 'prod',
      DRAIN_DELAY: '5',
    };
    expect(faultLines(env).toSorted()).toEqual([
      'environment  ADMIN_PORT  expected a port number from 0 (any free port) to 65535, given "70000"',
      'environment  DRAIN_DELAY  expected a duration with a unit, such as 250ms or 30s, given "5"',
      'environment  HOST  expected a host name or an IP address to listen on, given "http://x"',
      'environment  LOG_LEVEL  expected one of trace, debug, info, warn, error, fatal, silent, given "inof"; did you mean "info"?',
      'environment  NODE_ENV  expected one of production, development, test, given "prod"',
      'environment  PORT  expected a port number from 0 (any free port) to 65535, given "80a"',
    ]);
  });

  it.each(['2', '128', 'auto'])('takes %s workers with Redis, and refuses them without', (WORKERS) => {
    const { workers } = readEnvironment({ WORKERS, REDIS_URL: 'redis://redis' });
    expect(workers).toBe(WORKERS === 'auto' ? availableParallelism() : Number(WORKERS));
    const [line, ...more] = faultLines({ WORKERS });
    expect(line).toMatch(
      /^environment {2}WORKERS {2}expected REDIS_URL beside it: limits, .*; or set WORKERS=1$/,
    );
    expect(more).toEqual([]);
  });

  it.each(['0', '-1', '1.5', '129', 'all'])('refuses %s for WORKERS', (WORKERS) => {
    const message = `expected auto, or a number from 1 to 128, given "${WORKERS}"`;
    expect(faultLines({ WORKERS, REDIS_URL: 'redis://redis' })).toEqual([`environment  WORKERS  ${message}`]);
  });

  it.each([
    ['http://user:hunter2@redis', 'redis:// or rediss:// and a host'],
    ['redis:hunter2', 'redis:// or rediss:// and a host'],
    ['hunter2@redis:6379', 'redis:// or rediss:// and a host'],
    ['redis://', 'a host name'],
    ['redis://:hunter2@', 'a host name'],
    ['redis://:hunter2@999.1.1.1', 'a host name'],
    ['redis://:hunter2@redis:70000', 'a port from 1 to 65535'],
    ['redis://:hunter2@redis:0', 'a port from 1 to 65535'],
  ])('refuses %s for Redis without printing it', (REDIS_URL, what) => {
    const [line, ...more] = faultLines({ REDIS_URL });
    expect(line).toContain(`environment  REDIS_URL  expected ${what}`);
    expect(line).toMatch(/, given a value that is not shown, it may hold a password$/);
    expect([line?.includes('hunter2'), more]).toEqual([false, []]);
  });

  it.each(['redis://redis', 'rediss://user:p%40ss@redis.example.com:6380/2', 'redis://[::1]:6379'])(
    'takes %s for Redis',
    (REDIS_URL) => {
      expect(readEnvironment({ REDIS_URL }).redisUrl).toBe(REDIS_URL);
    },
  );

  it('refuses waits of more than an hour', () => {
    expect(faultLines({ SHUTDOWN_TIMEOUT: '2h' })).toEqual([
      'environment  SHUTDOWN_TIMEOUT  expected at most 1h, given "2h"',
    ]);
  });

  it('refuses one port for both listeners where their addresses overlap', () => {
    const conflict = ['environment  ADMIN_PORT  expected another port than PORT, given 9080 for both'];
    expect(faultLines({ PORT: '9080' })).toEqual(conflict);
    expect(faultLines({ PORT: '9080', HOST: '127.0.0.1' })).toEqual(conflict);
    expect(faultLines({ PORT: '9080', HOST: '10.0.0.1' })).toEqual([]);
    expect(faultLines({ PORT: '0', ADMIN_PORT: '0' })).toEqual([]);
  });
});
