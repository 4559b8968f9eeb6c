import { afterEach, describe, expect, it } from '@jest/globals';
import { logVerbosity, Metadata, setLogger, setLogVerbosity } from '@grpc/grpc-js';
import { getLogger, log } from '@grpc/grpc-js/build/src/logging.js';
import { createLogger } from '../../telemetry/logger.ts';
import { logGrpcTo } from './grpc-log.ts';

const before = getLogger();

afterEach(() => {
  setLogger(before);
  setLogVerbosity(logVerbosity.ERROR);
});

/** What the logger has written of what grpc-js says. */
function lines(level: string, say: () => void): Record<string, unknown>[] {
  const written: string[] = [];
  logGrpcTo(createLogger(level, { write: (line) => void written.push(line) }));
  say();
  return written.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe(logGrpcTo.name, () => {
  it('logs at levels of its own', () => {
    const say = (): void => {
      log(logVerbosity.ERROR, 'one', { a: 1 });
      log(logVerbosity.INFO, 'two');
      log(logVerbosity.DEBUG, 'three');
    };
    expect(lines('trace', say)).toMatchObject([
      { level: 40, grpc: 'one { a: 1 }', msg: 'grpc-js' },
      { level: 20, grpc: 'two' },
      { level: 10, grpc: 'three' },
    ]);
    expect(lines('info', say)).toMatchObject([{ grpc: 'one { a: 1 }' }]);
  });

  it('logs what grpc-js has to say about metadata, without secrets', () => {
    const metadata = { authorization: ['Bearer abc\n'], 'x-api-key': ['key\u0001'] };
    const said = lines('info', () => {
      for (const [name, values] of Object.entries(metadata)) Metadata.fromHttp2Headers({ [name]: values });
      log(logVerbosity.ERROR, 'token=abc, cookie: a=b; Authorization: Bearer abc');
    });
    expect(said.length).toBeGreaterThan(0);
    expect(JSON.stringify(said)).not.toMatch(/abc|key\\u0001|a=b/);
    expect(JSON.stringify(said)).toContain('[redacted]');
  });

  it('cuts what is long', () => {
    const [line] = lines('info', () => log(logVerbosity.ERROR, 'x'.repeat(5000)));
    expect(line?.['grpc']).toBe(`${'x'.repeat(1000)}…`);
  });
});
