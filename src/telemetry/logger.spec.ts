import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigError } from '../config/config-fault.ts';
import { NestLogger } from './nest-logger.ts';

function capture(level: string) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(level, {
    write: (text) => void lines.push(JSON.parse(text) as Record<string, unknown>),
  });
  return { logger, lines };
}

describe('createLogger', () => {
  it('never writes credentials', () => {
    const { logger, lines } = capture('info');
    logger.info(
      {
        authorization: 'Bearer s3cret',
        cookie: 's3cret',
        password: 's3cret',
        secret: 's3cret',
        token: 's3cret',
        headers: { authorization: 's3cret', cookie: 's3cret', accept: 'text/plain' },
        redis: { password: 's3cret' },
      },
      'hello',
    );
    expect(JSON.stringify(lines)).not.toContain('s3cret');
    expect(lines[0]).toMatchObject({
      authorization: '[redacted]',
      headers: { authorization: '[redacted]', accept: 'text/plain' },
      msg: 'hello',
    });
  });

  it('writes only what its level lets through', () => {
    const { logger, lines } = capture('warn');
    logger.info('no');
    logger.warn('yes');
    expect(lines.map((line) => line['msg'])).toEqual(['yes']);
  });

  it('writes neither process nor host', () => {
    const { logger, lines } = capture('info');
    logger.info('x');
    expect(Object.keys(lines[0] ?? {})).toEqual(['level', 'time', 'msg']);
  });
});

describe('NestLogger', () => {
  it('makes the chatter of Nest debug and trace, and keeps its warnings and errors', () => {
    const { logger, lines } = capture('trace');
    const nest = new NestLogger(logger);
    nest.log('log', 'Router');
    nest.warn('warn');
    nest.error('error', 'stack', 'Context');
    nest.debug('debug');
    nest.verbose('verbose');
    expect(lines.map(({ level, msg }) => [msg, level])).toEqual([
      ['log', 20],
      ['warn', 40],
      ['error', 50],
      ['debug', 10],
      ['verbose', 10],
    ]);
    expect(lines[0]).toMatchObject({ context: 'Router' });
  });

  it('says what Nest could not put together, and nothing of what other errors say', async () => {
    class Missing {}
    @Injectable()
    class Needy {
      constructor(@Inject(Missing) readonly missing: Missing) {}
    }
    @Module({ providers: [Needy] })
    class AppModule {}
    const { logger, lines } = capture('error');
    const nest = new NestLogger(logger);
    const starting = NestFactory.createApplicationContext(AppModule, { logger: nest, abortOnError: false });
    await expect(starting).rejects.toThrow('Needy');
    nest.error(new Error('a token'), 'ExceptionsHandler');
    // It is told with its place by whoever starts the gateway.
    nest.error(new ConfigError([{ file: 'a.yaml', line: 1, column: 1, key: 'a', message: 'b' }]));
    expect(lines.map((line) => line['msg'])).toEqual([
      expect.stringMatching(/^unforeseen fault: Nest can't resolve dependencies of the Needy .*Missing/s),
      'unforeseen fault',
    ]);
  });
});
