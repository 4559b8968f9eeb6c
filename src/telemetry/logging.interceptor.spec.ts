import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { LoggingInterceptor } from './logging.interceptor.ts';
import { TelemetryModule } from './telemetry.module.ts';

@Controller('things')
@UseInterceptors(LoggingInterceptor)
class ThingsController {
  @Get()
  list(): string[] {
    return ['thing'];
  }

  @Get('broken')
  fail(): never {
    throw new Error('broken');
  }
}

describe(LoggingInterceptor.name, () => {
  async function linesOf(level: string, path: string): Promise<Record<string, unknown>[]> {
    const lines: Record<string, unknown>[] = [];
    const logger = pino(
      { level },
      { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const testing = await Test.createTestingModule({
      imports: [TelemetryModule.forRoot(logger)],
      controllers: [ThingsController],
    }).compile();
    const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    await fetch(`${await app.getUrl()}${path}`);
    await app.close();
    return lines;
  }

  it.each([
    ['/things', 'ThingsController.list'],
    ['/things/broken', 'ThingsController.fail'],
  ])('logs at debug how long the handler of %s took', async (path, handler) => {
    const [line, ...others] = await linesOf('debug', path);
    expect(line).toMatchObject({ msg: 'handled', handler });
    expect(line?.['durationMs']).toBeGreaterThan(0);
    expect(others).toEqual([]);
  });

  it('logs nothing above debug', async () => {
    expect(await linesOf('info', '/things')).toEqual([]);
  });
});
