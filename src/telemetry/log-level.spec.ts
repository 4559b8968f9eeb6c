import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LogLevel } from './log-level.ts';
import { createLogger, type Logger } from './logger.ts';

describe(LogLevel.name, () => {
  let lines: Record<string, unknown>[];
  let logger: Logger;
  let level: LogLevel;

  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
    const write = (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>);
    logger = createLogger('info', { write });
    level = new LogLevel(logger);
  });

  afterEach(() => void jest.useRealTimers());

  const messages = () => lines.map(({ msg }) => msg);

  it('is another one for a while, and goes back by itself', () => {
    level.change('debug', 60_000);
    expect(level.shown).toEqual({
      level: 'debug',
      configured: 'info',
      until: new Date(Date.now() + 60_000).toISOString(),
    });
    logger.debug('while');
    jest.advanceTimersByTime(59_999);
    expect(level.leftMs).toBe(1);
    logger.debug('still');
    jest.advanceTimersByTime(1);
    logger.debug('after');
    expect(level.shown).toEqual({ level: 'info', configured: 'info', until: undefined });
    expect(level.leftMs).toBe(0);
    expect(messages()).toEqual([
      'the level of the log has changed',
      'while',
      'still',
      'the level of the log is again what it was',
    ]);
  });

  it('goes by the last order, and goes back when it is told to', () => {
    level.change('trace', 1000);
    level.change('error', 5000);
    jest.advanceTimersByTime(4999);
    expect(level.shown.level).toBe('error');
    level.reset();
    expect(level.shown.level).toBe('info');
    level.reset();
    jest.advanceTimersByTime(10_000);
    expect(messages().filter((msg) => msg === 'the level of the log is again what it was')).toHaveLength(1);
  });

  it.each(['error', 'silent'] as const)('leaves a trace of a change to %s', (quiet) => {
    level.change(quiet, 1000);
    logger.warn('not heard');
    expect(lines).toEqual([
      expect.objectContaining({ logLevel: expect.objectContaining({ level: quiet, configured: 'info' }) }),
    ]);
  });

  it('shows no messages of errors that were hidden from the start', () => {
    level.change('trace', 1000);
    logger.error({ err: new Error('s3cret of somebody') }, 'failed');
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });
});
