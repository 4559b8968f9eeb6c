import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { BodyLimitStageFactory, HANDLER_BODY_LIMIT_BYTES } from './body-limit.stage.ts';

const compile = (bodyLimit: number | undefined, door: 'proxy' | 'handler' = 'proxy') =>
  new BodyLimitStageFactory().compile({ routeId: 'r', door, policies: { bodyLimit } });

const enter = (limit: number, headers: readonly string[]) =>
  compile(limit)?.enter?.(createExchange({ method: 'POST', headers }));

describe('BodyLimitStage', () => {
  it('is absent without a limit', () => {
    expect(compile(undefined)).toBeUndefined();
  });

  it('lets pass what declares a length up to the limit', () => {
    expect(enter(10, ['content-length', '10'])).toBeUndefined();
    expect(enter(10, ['Content-Length', '0'])).toBeUndefined();
  });

  it('answers 413 when the declared length is over the limit', () => {
    expect(() => enter(10, ['content-length', '11'])).toThrow('The request body is too large');
    expect(() => enter(0, ['content-length', '1'])).toThrow('The request body is too large');
  });

  it('leaves a body without a declared length to be counted', () => {
    expect(enter(10, ['transfer-encoding', 'chunked'])).toBeUndefined();
  });

  it('refuses to promise a handler more than its parser takes', () => {
    expect(compile(HANDLER_BODY_LIMIT_BYTES, 'handler')).toBeDefined();
    expect(() => compile(HANDLER_BODY_LIMIT_BYTES + 1, 'handler')).toThrow('can only lower the 1MiB');
    expect(compile(HANDLER_BODY_LIMIT_BYTES + 1, 'proxy')).toBeDefined();
  });
});
