import {
  Controller,
  Get,
  Header,
  HttpCode,
  Module,
  NotFoundException,
  Param,
  Patch,
  Res,
  StreamableFile,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Compression } from '../../src/policies/compression/compression.policy.ts';
import { Idempotency } from '../../src/policies/idempotency/idempotency.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { Problem } from '../../src/problems/problem.ts';

/** What the handlers below do, and how often they were run. */
export const handlers = {
  runs: 0,
  /** Fields of the next answers. */
  fields: {} as Record<string, string>,
  status: 200,
  /** How the next runs fail. */
  failure: undefined as (() => unknown) | undefined,
  /** What they wait for. */
  waitsFor: undefined as Promise<unknown> | undefined,
  /** Whom the guards of the team refuse. */
  refuses: false,
  clear(): void {
    Object.assign(this, {
      fields: {},
      status: 200,
      failure: undefined,
      waitsFor: undefined,
      refuses: false,
    });
  },
};

async function run(reply: FastifyReply): Promise<number> {
  handlers.runs += 1;
  const { runs, waitsFor, failure, fields, status } = handlers;
  if (waitsFor !== undefined) await waitsFor;
  if (failure !== undefined) await failure();
  void reply.headers(fields).code(status);
  return runs;
}

class TeamGuard implements CanActivate {
  canActivate(_context: ExecutionContext): boolean {
    if (handlers.refuses) throw new Problem('permission-denied');
    return true;
  }
}

@Controller('kept')
@Authentication('public')
@Cache({ ttl: '1h', negativeTtl: '1h', maxBody: '64KiB' })
export class KeptController {
  @Get('json/:id')
  async json(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply), id };
  }

  @Get('text/:id')
  async text(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    return `run ${await run(reply)}`;
  }

  @Get('bytes/:id')
  async bytes(@Res() reply: FastifyReply): Promise<void> {
    const count = await run(reply);
    void reply.type('application/octet-stream').send(Buffer.from([count % 256, 1, 2]));
  }

  @Get('nothing/:id')
  @HttpCode(204)
  async nothing(@Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    handlers.status = 204;
    await run(reply);
  }

  @Get('file/:id')
  async file(
    @CurrentExchange() { query }: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const count = await run(reply);
    const piece = Buffer.alloc(1024, `${count}`);
    const pieces = Math.ceil(Number(new URLSearchParams(query).get('bytes')) / piece.length);
    return new StreamableFile(Readable.from(Array.from({ length: pieces }, () => piece)), {
      type: 'application/x-ndjson',
    });
  }

  @Get('broken/:id')
  async broken(@Res({ passthrough: true }) reply: FastifyReply): Promise<StreamableFile> {
    await run(reply);
    const breaking = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('the beginning');
      await sleep(20);
      throw new Error('the rest is missing');
    };
    return new StreamableFile(Readable.from(breaking()));
  }

  @Get('live/:id')
  @Header('content-type', 'text/event-stream')
  async live(@Res({ passthrough: true }) reply: FastifyReply): Promise<StreamableFile> {
    const count = await run(reply);
    return new StreamableFile(Readable.from([`data: ${count}\n\n`]), { type: 'text/event-stream' });
  }

  @Get('raw/:id')
  async raw(@Res() reply: FastifyReply): Promise<void> {
    const count = await run(reply);
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' }).end(`run ${count}`);
  }

  @Get('missing/:id')
  async missing(@Res({ passthrough: true }) reply: FastifyReply): Promise<never> {
    await run(reply);
    throw new NotFoundException();
  }

  @Get('shared/:id')
  @Cache({ ttl: '1h', store: 'shared' })
  async shared(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }

  @Get('small/:id')
  @Compression({ minSize: '1B' })
  async small(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply), text: 'a'.repeat(500) };
  }

  @Patch('json/:id')
  change(): object {
    return {};
  }
}

@Controller('stale')
@Authentication('public')
@Cache({ ttl: '1h', staleIfError: '1h' })
export class StaleController {
  @Get('error/:id')
  async error(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }

  @Get('edited/:id')
  @Transform({ response: { body: [{ wrap: 'wrapped' }] } } as never)
  async edited(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }

  @Get('while/:id')
  @Cache({ ttl: '1h', staleWhileRevalidate: '1h' })
  async revalidated(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }
}

const MASK = { response: { maskFields: [{ fields: ['secret'], unless: { role: 'admin' } }] } } as never;

/** Its answers differ by who asks. */
@Controller('mine')
@Cache({ ttl: '1h' })
export class MineController {
  @Get('who/:id')
  async who(
    @CurrentExchange() { principal }: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return { run: await run(reply), who: principal?.subject };
  }

  @Get('masked/:id')
  @Transform(MASK)
  async masked(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply), secret: 's3cret' };
  }

  @Get('masked-text/:id')
  @Transform(MASK)
  async maskedText(@Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const body = JSON.stringify({ run: await run(reply), secret: 's3cret' });
    return reply.type('application/json').send(body) as never;
  }

  @Get('open/:id')
  @Cache({ ttl: '1h', scope: 'public' })
  @Transform({ response: { maskFields: ['secret'], body: [{ wrap: 'wrapped' }] } } as never)
  async open(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply), secret: 's3cret' };
  }

  @Get('guarded/:id')
  @UseGuards(TeamGuard)
  @Cache({ ttl: '1h', scope: 'public' })
  async guarded(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }

  @Patch('guarded/:id')
  @UseGuards(TeamGuard)
  @Idempotency({})
  async changed(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    return { run: await run(reply) };
  }
}

/** The module of these controllers. */
@Module({ controllers: [KeptController, StaleController, MineController] })
export class KeptModule {}
