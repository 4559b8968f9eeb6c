import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { urlFault } from '../config/url.ts';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { definitionOf } from '../routing/read-routes.ts';
import { normalizePath, splitTarget } from '../routing/request-path.ts';
import { compileRewrite, type Rewrite } from '../routing/rewrite.ts';
import {
  ActionError,
  type ActionDefinition,
  type ActionInput,
  type ActionKind,
  type ActionSource,
  type RouteAction,
} from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';

const redirectSchema = z
  .strictObject({
    to: z
      .string()
      .describe(
        'Where to: https://new.example.com/{*}, or a path of this host; with {name} and {*} from the match.',
      ),
    status: z
      .literal([301, 302, 303, 307, 308])
      .default(307)
      .describe(
        '301 and 308 are remembered by clients; 307 and 308 keep method and body, 303 asks with GET. Default 307.',
      ),
    query: z
      .enum(['keep', 'drop'])
      .default('keep')
      .describe(
        'Whether the query of the request goes along; what `to` sets has the last word. Default keep.',
      ),
  })
  .describe('Sends clients elsewhere.');

interface RedirectDefinition extends ActionDefinition, z.output<typeof redirectSchema> {
  readonly kind: 'redirect';
}

const redirectSource: ActionSource = {
  kind: 'redirect',
  key: 'redirect',
  keys: { redirect: redirectSchema },
  hasUpstream: false,
  alone: 'nobody else is asked',
  read(reading) {
    const options = reading.route['redirect'] as z.output<typeof redirectSchema>;
    const action: RedirectDefinition = { kind: 'redirect', ...options };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};

/** Routes that send their clients elsewhere (RFC 9110 section 15.4). */
@Injectable()
export class RedirectKind implements ActionKind {
  static readonly source = redirectSource;
  readonly source = redirectSource;

  compile(definition: RedirectDefinition, { pattern }: ActionInput): RouteAction {
    const { origin, target } = partsOf(definition.to);
    try {
      const rewrite = compileRewrite({ path: target }, pattern) as Rewrite;
      return new RedirectAction(definition, origin, rewrite);
    } catch (error) {
      throw new ActionError(['redirect', 'to'], (error as Error).message);
    }
  }
}

class RedirectAction implements RouteAction {
  readonly kind = 'redirect';
  readonly readsNoBody = true;
  readonly target: string;
  readonly #origin: string;
  readonly #status: number;
  readonly #keepsQuery: boolean;
  readonly #rewrite: Rewrite;

  constructor({ to, status, query }: RedirectDefinition, origin: string, rewrite: Rewrite) {
    this.target = `${status} ${to}`;
    this.#origin = origin;
    this.#status = status;
    this.#keepsQuery = query === 'keep';
    this.#rewrite = rewrite;
  }

  answer(exchange: Exchange, _route: Route, sink: AnswerSink): void {
    const { path, query, params } = exchange;
    const location = this.#origin + encoded(this.#rewrite.apply(path, this.#keepsQuery ? query : '', params));
    sink.start(this.#status, ['location', location, 'content-length', '0']);
    sink.end();
  }

  contract(): OperationContract {
    const location = {
      description: 'Where to go.',
      schema: { type: 'string', format: 'uri-reference' },
    } as const;
    const answer = { description: 'It is elsewhere.', headers: { Location: location } };
    return { parameters: [], answers: { [this.#status]: answer }, problems: [] };
  }
}

const ORIGIN = {
  schemes: ['http', 'https'],
  example: 'https://new.example.com/{*}',
  rest: 'nothing',
} as const;
const PARTS = /^([a-z]+:[^/?]*(?:\/\/[^/?]*)?)?(.*)$/is;

/**
 * Takes `to` apart. Fails closed against open redirects: scheme, host and port stand in the file as they are, and a path
 * of this host can never be read as `//host`.
 */
function partsOf(to: string): { readonly origin: string; readonly target: string } {
  const fault = (message: string): ActionError => new ActionError(['redirect', 'to'], message);
  const [, origin = '', rest = ''] = PARTS.exec(to) ?? [];
  const message = to.startsWith('/') ? undefined : urlFault(origin, ORIGIN);
  if (message !== undefined) throw fault(`${message}; or a path that starts with "/"`);
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const { path } = splitTarget(target);
  if (/\{\*\}./.test(path)) throw fault(`expected {*} only at the end of the path, got "${to}"`);
  if (normalizePath(path.replace(/\{[^{}]*\}/g, 'x')) === undefined) {
    throw fault(`expected a percent-encoded path without empty and dot segments, got "${to}"`);
  }
  return { origin, target };
}

const UNSAFE = /[^\x21-\x7e]|["#<>\\^`{|}]/g;

// The path is in its normal form; a query may be anything that the parser lets through, but for the end of a line.
function encoded(text: string): string {
  return text.replace(UNSAFE, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
