import {
  BadRequestException,
  ConflictException,
  ForbiddenException,
  GoneException,
  HttpException,
  ImATeapotException,
  InternalServerErrorException,
  NotFoundException,
  NotImplementedException,
  PayloadTooLargeException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { problemOf } from './http-exceptions.ts';
import { Problem } from './problem.ts';

const fastifyError = (code: string, statusCode?: number) =>
  Object.assign(new Error('text'), { code, statusCode });

describe('problemOf', () => {
  it('leaves a problem as it is', () => {
    const problem = new Problem('conflict');
    expect(problemOf(problem)).toBe(problem);
  });

  it.each([
    [new BadRequestException(), 'request-invalid'],
    [new UnauthorizedException(), 'credentials-invalid'],
    [new ForbiddenException(), 'permission-denied'],
    [new NotFoundException(), 'resource-not-found'],
    [new ConflictException(), 'conflict'],
    [new PayloadTooLargeException(), 'body-too-large'],
    [new UnprocessableEntityException(), 'request-invalid'],
    [new HttpException('slow down', 429), 'rate-limited'],
    [new NotImplementedException(), 'not-implemented'],
    [new ServiceUnavailableException(), 'no-available-target'],
    [new InternalServerErrorException(), 'internal'],
    [new GoneException(), 'request-invalid'],
    [new ImATeapotException(), 'request-invalid'],
    [new HttpException('odd', 599), 'internal'],
    [fastifyError('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'body-too-large'],
    [fastifyError('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 'media-type-unsupported'],
    [fastifyError('FST_ERR_CTP_INVALID_JSON_BODY', 400), 'request-invalid'],
    [fastifyError('FST_ERR_CTP_EMPTY_JSON_BODY', 400), 'request-invalid'],
    [fastifyError('FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400), 'request-malformed'],
    [fastifyError('FST_ERR_UNKNOWN_TO_US', 404), 'resource-not-found'],
    [fastifyError('ECONNREFUSED'), 'internal'],
    [new TypeError('x is undefined'), 'internal'],
    ['a string', 'internal'],
    [undefined, 'internal'],
    [null, 'internal'],
  ])('finds the problem behind %p', (error, code) => {
    const problem = problemOf(error);
    expect(problem.code).toBe(code);
    expect(problem.detail).toBeUndefined();
    expect(problem.cause ?? null).toBe(error ?? null);
  });
});
