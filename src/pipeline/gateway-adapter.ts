import { FastifyAdapter } from '@nestjs/platform-fastify';
import { fastify, type FastifyHttpOptions, type FastifyInstance, type RawServerDefault } from 'fastify';

/**
 * Nest's adapter over a Fastify without the hooks that the adapter adds when it is made. Six of them run before every
 * request and one after every answer, to look whether a feature is in use that this application never switches on:
 * CORS, CSRF protection and security headers of Nest, its versioning by an extractor, its answer while closing, and
 * hooks of diagnostics. Together they cost about as much as authentication.
 *
 * @param onLeftOut hears the name of each hook that is left out.
 */
export function gatewayAdapter(
  options: FastifyHttpOptions<RawServerDefault>,
  onLeftOut: (hook: string) => void = () => {},
): FastifyAdapter {
  const instance: FastifyInstance = fastify(options);
  const { addHook } = instance;
  instance.addHook = (name: string): FastifyInstance => {
    onLeftOut(name);
    return instance;
  };
  try {
    return new FastifyAdapter(instance);
  } finally {
    instance.addHook = addHook;
  }
}
