import type { FastifyContextConfig } from 'fastify';
import type { z } from 'zod';
import type { NeededRole } from './access/roles.ts';

/** What is said of an operation of the operators' listener besides its name and role. */
export interface OperationFacts {
  /** What it does, in a sentence without a full stop. */
  readonly summary?: string;
  /** Of its query: an object of zod. */
  readonly query?: z.ZodType;
  /** Of its body, which is JSON. */
  readonly body?: z.ZodType;
  /** Of what it answers with 200. */
  readonly answer?: z.ZodType;
  /** The status of success. Default 200. */
  readonly status?: number;
  /** The type of what it answers; default JSON. */
  readonly media?: string;
  /** Whether it is a page that says nothing of this gateway, so that other pages may lead to it. Default false. */
  readonly isPage?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig extends OperationFacts {
    /** What it is called in the contract, the audit and refusals: a verb and a noun, as `listRoutes`. */
    operation?: string;
    /** What a caller needs to be. A route of the operators' listener without it is refused. */
    role?: NeededRole;
  }
}

/** Options of a route of the operators' listener: what it is called, who may, and what the contract says of it. */
export function operation(
  name: string,
  role: NeededRole,
  facts: OperationFacts & Pick<FastifyContextConfig, 'reach'> = {},
): { config: FastifyContextConfig } {
  return { config: { operation: name, role, ...facts } };
}
