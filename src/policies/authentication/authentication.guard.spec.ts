import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Global,
  Module,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { exchangeFor } from '../../../test/support/stage-server.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Problem } from '../../problems/problem.ts';
import type { Route } from '../../routing/route.ts';
import { REDIS } from '../../store/store.module.ts';
import { AuthorizationGuard } from '../authorization/authorization.guard.ts';
import { AuthorizationModule } from '../authorization/authorization.module.ts';
import { AuthorizationStageFactory } from '../authorization/authorization.stage.ts';
import type { PolicySet } from '../registry.ts';
import { createApiKey } from './api-key.ts';
import { AuthenticationGuard } from './authentication.guard.ts';
import { AuthenticationModule, IDENTITY_OPTIONS } from './authentication.module.ts';
import { AuthenticationStageFactory } from './authentication.stage.ts';
import { identitySchema } from './identity.schema.ts';

const user = createApiKey();
const guest = createApiKey();
const options = identitySchema.parse({
  apiKeys: [
    { sha256: user.sha256, clientId: 'user', roles: ['user'] },
    { sha256: guest.sha256, clientId: 'guest' },
  ],
});
const GUARDED: PolicySet = { authentication: { schemes: ['apiKey'] }, authorization: { anyRole: ['user'] } };

@Catch(Problem)
class CodeFilter implements ExceptionFilter<Problem> {
  catch(problem: Problem, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(problem.status).send({ code: problem.code });
  }
}

@Controller()
@UseGuards(AuthenticationGuard, AuthorizationGuard)
class WhoController {
  @Get()
  who(@CurrentExchange() exchange: Exchange): { id: string | undefined } {
    return { id: exchange.principal?.id };
  }
}

@Global()
@Module({
  providers: [
    { provide: IDENTITY_OPTIONS, useValue: options },
    { provide: REDIS, useValue: undefined },
  ],
  exports: [IDENTITY_OPTIONS, REDIS],
})
class BindingsModule {}

describe('the guards', () => {
  let app: NestFastifyApplication;
  let route: Route | undefined;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({
      imports: [BindingsModule, AuthenticationModule, AuthorizationModule],
      controllers: [WhoController],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('onRequest', (request, reply, done) => {
      request.exchange = exchangeFor(request.raw, reply.raw);
      request.exchange.route = route;
      done();
    });
    app.useGlobalFilters(new CodeFilter());
    await app.init();
  });

  afterAll(() => app.close());

  async function call(policies: PolicySet | undefined, door: Route['door'], key?: string) {
    route = policies === undefined ? undefined : routeOf(policies, door);
    const headers = key === undefined ? {} : { 'x-api-key': key };
    const answer = await app.inject({ method: 'GET', url: '/', headers });
    return [answer.statusCode, answer.json<Record<string, unknown>>()];
  }

  function routeOf(policies: PolicySet, door: Route['door']): Route {
    const input = { routeId: 'r', door, policies };
    const identify = app.get(AuthenticationStageFactory).compile(input);
    const authorize = app.get(AuthorizationStageFactory).compile(input);
    const seats = { ...(identify && { identify }), ...(authorize && { authorize }) };
    return { door, seats } as Route;
  }

  it('let a caller through who may call, and tell the handler who it is', async () => {
    expect(await call(GUARDED, 'handler', user.key)).toEqual([200, { id: 'user' }]);
  });

  it('stop callers without credentials, with bad ones and without the role', async () => {
    expect(await call(GUARDED, 'handler')).toEqual([401, { code: 'credentials-missing' }]);
    expect(await call(GUARDED, 'handler', createApiKey().key)).toEqual([
      401,
      { code: 'credentials-invalid' },
    ]);
    expect(await call(GUARDED, 'handler', guest.key)).toEqual([403, { code: 'permission-denied' }]);
  });

  it('let everybody into a public route', async () => {
    expect(await call({ authentication: 'public' }, 'handler')).toEqual([200, {}]);
  });

  it('leave proxied routes to the loop of the proxy', async () => {
    expect(await call(GUARDED, 'proxy')).toEqual([200, {}]);
  });

  it('fail closed for a handler that is on no route', async () => {
    expect(await call(undefined, 'handler', user.key)).toEqual([404, { code: 'route-not-found' }]);
  });
});
