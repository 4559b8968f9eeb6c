import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Headers,
  Module,
  NotFoundException,
  Param,
  Res,
  StreamableFile,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { CircuitBreaker } from '../../src/policies/circuit-breaker/circuit-breaker.policy.ts';
import { Problem } from '../../src/problems/problem.ts';
import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import type { Answer } from '../support/client.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

let runs = 0;
let fails = false;

/** A handler that believes what clients say, and others whose answers are not what they announce. */
@Controller('claims')
@Authentication('public')
class ClaimsController {
  @Get('private/:name')
  @Cache({ ttl: '1h' })
  told(@Headers() headers: Record<string, string>, @Param('name') name: string): object {
    return { run: (runs += 1), said: headers[name] };
  }

  @Get('public/:name')
  @Cache({ ttl: '1h', scope: 'public' })
  toldAll(@Headers() headers: Record<string, string>, @Param('name') name: string): object {
    return { run: (runs += 1), said: headers[name] };
  }

  @Get('thrown/:id')
  @Cache({ ttl: '1h', negativeTtl: '1h', scope: 'public' })
  thrown(
    @Headers('accept-language') language: string,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): object {
    if (id === 'vary') void reply.header('vary', 'Accept-Language');
    else void reply.header('cache-control', 'no-store');
    if (language === 'de') throw new NotFoundException();
    return { run: (runs += 1) };
  }

  @Get('short/:id')
  @Cache({ ttl: '1h' })
  short(): StreamableFile {
    runs += 1;
    return new StreamableFile(Readable.from([Buffer.from('half')]), { length: 8 });
  }

  @Get('plain/:id')
  @Cache({ ttl: '1h' })
  plain(@Res({ passthrough: true }) reply: FastifyReply): object {
    void reply.header('etag', '"one"');
    return { run: (runs += 1) };
  }
}

let guard: () => boolean = () => true;

class WaveringGuard implements CanActivate {
  canActivate(): boolean {
    return guard();
  }
}

/** Its guard decides who may, and can fail. */
@Controller('members')
@Authentication('public')
@UseGuards(WaveringGuard)
class MembersController {
  @Get('show/:id')
  @Cache({ ttl: '1h', staleIfError: '1h', scope: 'public' })
  show(@Res({ passthrough: true }) reply: FastifyReply): object {
    if (fails) throw new Problem('upstream-unreachable');
    void reply.header('cache-control', 'max-age=0');
    return { run: (runs += 1), secret: 's3cret' };
  }

  @Get('broken/:id')
  @Cache({ ttl: '1h', staleIfError: '1h', scope: 'public' })
  @CircuitBreaker({ consecutiveFailures: 1, openFor: '1h' })
  broken(@Res({ passthrough: true }) reply: FastifyReply): object {
    return this.show(reply);
  }
}

@Module({ controllers: [ClaimsController, MembersController] })
class ClaimsModule {}

const holder = useShop({ modules: [ClaimsModule] });
const ask = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);

afterEach(() => {
  runs = 0;
  fails = false;
  guard = () => true;
});

describe('fields that services hear from the gateway only, and handlers from clients', () => {
  it.each(
    ['private', 'public'].flatMap((scope) =>
      [
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-forwarded-prefix',
        'x-user-id',
        'x-tenant-id',
        'forwarded',
        'x-original-url',
      ].map((name) => [scope, name] as const),
    ),
  )('%s: %s of one client is not what another one is told', async (scope, name) => {
    const path = `/claims/${scope}/${name}`;
    const value = name === 'forwarded' ? 'host=evil.example' : 'evil';
    await ask(path, { headers: { [name]: value } });
    const victim = await ask(path);
    expect(victim.text).not.toContain('evil');
  });
});

describe('an answer that is shorter than it says', () => {
  const half = async (): Promise<IncomingMessage> => {
    const asked = get(`${holder.shop.gateway.url}/claims/short/a`);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    answer.on('error', () => undefined);
    asked.destroy();
    return answer;
  };

  it('is not kept', async () => {
    await half();
    const again = await half();
    expect([again.headers['x-cache'], again.headers['content-length'], runs]).toEqual([undefined, '8', 2]);
  });
});

describe('what a handler says by throwing', () => {
  it.each(['vary', 'store'])('is kept by what it has said of the answer before (%s)', async (what) => {
    const say = (language: string) =>
      ask(`/claims/thrown/${what}`, { headers: { 'accept-language': language } });
    expect((await say('de')).status).toBe(404);
    expect((await say('en')).status).toBe(200);
    expect((await say('de')).headers['x-cache']).toBe(what === 'vary' ? 'HIT' : undefined);
  });
});

describe('HEAD', () => {
  it('ends nothing that is stored', async () => {
    await ask('/claims/plain/a');
    await ask('/claims/plain/a', { method: 'HEAD', headers: { 'cache-control': 'no-cache' } });
    expect((await ask('/claims/plain/a')).headers['x-cache']).toBe('HIT');
  });
});

describe('what stands in for a failing handler', () => {
  it.each(['show', 'broken'])('is not given to whom its guards have not let pass (%s)', async (kind) => {
    const path = `/members/${kind}/a`;
    await ask(path);
    guard = () => {
      throw new Error('the service of the guard is away');
    };
    expect((await ask(path)).text).not.toContain('s3cret');
    guard = () => true;
    fails = true;
    const standIn = await ask(path);
    expect([standIn.status, standIn.headers['x-cache']]).toEqual([200, 'STALE']);
    // Of `broken` the breaker is open by now.
    expect((await ask(path)).headers['x-cache']).toBe('STALE');
    guard = () => false;
    expect([(await ask(path)).status]).toEqual([403]);
    guard = () => {
      throw new Error('the service of the guard is away');
    };
    expect((await ask(path)).text).not.toContain('s3cret');
  });
});
