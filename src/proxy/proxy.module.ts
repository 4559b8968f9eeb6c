import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { METHODS } from 'node:http';
import { ProxyHandler } from './proxy.handler.ts';

/** Mounts door 1 on everything that no controller owns, in a Fastify context of its own. */
@Module({ providers: [ProxyHandler] })
export class ProxyModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly handler: ProxyHandler,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    // Fastify knows a few methods; a route that names none takes all that the parser lets through.
    for (const method of METHODS) {
      if (!fastify.supportedMethods.includes(method)) fastify.addHttpMethod(method, { hasBody: true });
    }
    fastify.decorate('otherwise', (request: FastifyRequest, reply: FastifyReply) =>
      this.handler.handle(request, reply),
    );
    fastify.register((scope, _options, done) => {
      // A hook that never calls back ends Fastify's part before it looks at the body, which it would refuse for a
      // content type that it cannot read; the body stays in the socket until the forwarder pulls it.
      const onRequest = (request: FastifyRequest, reply: FastifyReply) => this.handler.handle(request, reply);
      scope.all('/*', { exposeHeadRoute: false, onRequest }, onRequest);
      done();
    });
  }
}
