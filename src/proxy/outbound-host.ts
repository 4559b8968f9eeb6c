import { z } from 'zod';
import { isSaneHost } from '../exchange/absolute-form.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { PathPattern } from '../routing/path-pattern.ts';
import { isTelling } from '../routing/rewrite.ts';
import { parseTemplate } from '../templates/parse-template.ts';
import { TemplateError } from '../templates/template-fault.ts';
import { compileTemplate, type Place } from '../templates/template.ts';
import { hostOption } from '../upstreams/http/proxy-fields.ts';

/** What the `Host` field of the proxied requests of one route says. */
export const routeHostOption = z
  .union([hostOption, z.string().includes('{')])
  .describe(
    'Host field of proxied requests: `keep` for the one that the client has asked for, `target` for that of the target, or a name, with {header.x} and the like for a label of it.',
  );

/** The `Host` of the requests of one route. */
export interface OutboundHost {
  /** Whether more than path and query of the request decides about it, and its host, which caches tell apart. */
  readonly isTelling: boolean;
  /** @throws {Problem} for a value that is missing, or is no label of a host. */
  of(exchange: Exchange): string | undefined;
}

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** One label: a value can choose neither the domain nor the port. */
const IN_HOST: Place = {
  write: (text, source) => (LABEL.test(text) || source?.text === 'request.host' ? text : undefined),
  misfit: 'cannot be a label of a host',
};

/**
 * Compiles `host`; undefined for that of the target.
 *
 * @throws {TemplateError} when it is no host, or a placeholder has no value.
 */
export function compileHost(host: string, pattern: PathPattern): OutboundHost | undefined {
  if (host === 'target') return undefined;
  if (host === 'keep') return KEPT;
  if (!host.includes('{')) return { isTelling: false, of: () => host };
  const { literals, placeholders } = parseTemplate(host);
  if (placeholders.some(({ fallback }) => fallback === ''))
    throw new TemplateError(`expected a default that is not empty in a host, got "${host}"`);
  if (!isSaneHost(literals.join('x')))
    throw new TemplateError(
      `expected a host with {name} for labels, such as {header.x-tenant}.example.com, got "${host}"`,
    );
  const template = compileTemplate(host, pattern, IN_HOST);
  return { isTelling: isTelling(template), of: (exchange) => template.fill(exchange) };
}

const KEPT: OutboundHost = { isTelling: false, of: ({ request }) => request.headers.host };
