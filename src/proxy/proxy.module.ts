import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { ProxyHandler } from './proxy.handler.ts';

/** Mounts door 1 on everything that no controller owns, in a Fastify context of its own without body parsers. */
@Module({ providers: [ProxyHandler] })
export class ProxyModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly handler: ProxyHandler,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      // The body stays in the socket until the forwarder pulls it.
      scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
      scope.all('/*', { exposeHeadRoute: false }, (request, reply) => this.handler.handle(request, reply));
      done();
    });
  }
}
