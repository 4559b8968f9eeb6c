import { describe, expect, it } from '@jest/globals';
import { chooseCoding, CODINGS } from './accept-encoding.ts';
import { compileTypes, DEFAULT_TYPES } from './compressible.ts';
import { Compressors } from './compressors.ts';

describe('chooseCoding', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.999', 'gzip'],
    ['br ; q=0.2 , gzip ; Q=0.3', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000, br', 'br'],
    ['*', 'zstd'],
    ['*;q=0.5, zstd;q=0', 'br'],
    ['*;q=0', undefined],
    ['identity', undefined],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0', undefined],
    ['identity;q=0.5, gzip;q=0.4', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['deflate, compress', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=-1', undefined],
    ['gzip;q=', undefined],
    ['gzip;level=9', undefined],
    ['gzi p', undefined],
    [`${'a,'.repeat(8000)}gzip`, 'gzip'],
  ])('%s: %s', (field, coding) => {
    expect(chooseCoding(field, CODINGS)).toBe(coding);
  });
});

describe('compileTypes', () => {
  it.each([
    ['text/html; charset=utf-8', true],
    ['Application/JSON', true],
    ['application/problem+json', true],
    ['application/graphql-response+json;charset=utf-8', true],
    ['image/svg+xml', true],
    ['image/png', false],
    ['application/octet-stream', false],
    ['text/event-stream', false],
    ['text/event-stream;charset=utf-8', false],
    ['application/grpc', false],
    ['application/grpc-web+json', false],
    ['', false],
  ])('%s: %s', (type, isFit) => {
    expect(compileTypes(DEFAULT_TYPES)(type)).toBe(isFit);
    expect(compileTypes(['text/*', 'multipart/*'])('multipart/x-mixed-replace')).toBe(false);
  });
});

describe('Compressors', () => {
  it('are as many as there may be, and one more when one of them has ended', async () => {
    const compressors = new Compressors(2);
    const levels = { gzip: 6, br: 4, zstd: 3 };
    const first = compressors.make('gzip', levels);
    expect(compressors.make('br', levels)).toBeDefined();
    expect(compressors.make('zstd', levels)).toBeUndefined();
    await new Promise((resolve) => first?.once('close', resolve).destroy());
    expect(compressors.make('zstd', levels)).toBeDefined();
  });
});
