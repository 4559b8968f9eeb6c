import { z } from 'zod';
import type { Plugin, Translation } from '../plugin.ts';

/** How long answers are kept; for whom and which ones is said by HTTP. */
export function translateProxyCache({ config, source }: Plugin): Translation {
  config.skip('strategy', 'memory');
  config.skipDefaults({
    cache_control: false,
    request_method: ['GET', 'HEAD'],
    content_type: ['text/plain', 'application/json'],
    response_code: [200, 301, 404],
    ignore_uri_case: false,
  });
  const ttl = config.get('cache_ttl', z.number()) ?? 300;
  source.note(
    'differs',
    'each caller has answers of its own, and the header fields of HTTP say what is kept; see docs/policies/cache.md',
  );
  return { policies: { cache: { ttl: `${Math.round(ttl)}s` } } };
}
