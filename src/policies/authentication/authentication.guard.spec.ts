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
import type { PolicySet } from '../order.ts';
import { createApiKey } from './api-keys/api-key.ts';
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

@Controller('one')
class OneGuardController {
  @Get('authentication')
  @UseGuards(AuthenticationGuard)
  authentication(): void {
    // Reached only when the guard lets the call through.
  }

  @Get('twice')
  @UseGuards(AuthenticationGuard, AuthenticationGuard)
  twice(): void {
    // Reached only when both let the call through.
  }

  @Get('authorization')
  @UseGuards(AuthorizationGuard)
  authorization(): void {
    // Reached only when the guard lets the call through.
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
      controllers: [WhoController, OneGuardController],
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

  async function call(policies: PolicySet, door: Route['door'], key?: string) {
    route = routeOf(policies, door);
    const headers = key === undefined ? {} : { 'x-api-key': key };
    const answer = await app.inject({ method: 'GET', url: '/', headers });
    return [answer.statusCode, answer.json<Record<string, unknown>>()];
  }

  function routeOf(policies: PolicySet, door: Route['door']): Route {
    const input = { routeId: 'r', door, policies };
    const authentication = app.get(AuthenticationStageFactory).compile(input);
    const authorization = app.get(AuthorizationStageFactory).compile(input);
    const seats = { authentication, authorization };
    return { door, seats } as Partial<Route> as Route;
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

  it.each(['/', '/one/authentication', '/one/authorization'])(
    'fail closed on %s when it is on no route',
    async (url) => {
      route = undefined;
      const answer = await app.inject({ method: 'GET', url, headers: { 'x-api-key': user.key } });
      expect([answer.statusCode, answer.json()]).toEqual([404, { code: 'route-not-found' }]);
    },
  );

  it('do not let a route through that was never identified', async () => {
    route = routeOf(GUARDED, 'handler');
    const answer = await app.inject({
      method: 'GET',
      url: '/one/authorization',
      headers: { 'x-api-key': user.key },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('identify the caller once, however many guards ask', async () => {
    let entered = 0;
    const { seats, ...rest } = routeOf(GUARDED, 'handler');
    const enter = (exchange: Exchange) => {
      entered += 1;
      return seats['authentication']?.enter?.(exchange);
    };
    route = { ...rest, seats: { ...seats, authentication: { enter } } };
    const answer = await app.inject({ method: 'GET', url: '/one/twice', headers: { 'x-api-key': user.key } });
    expect([answer.statusCode, entered]).toEqual([200, 1]);
  });
});
