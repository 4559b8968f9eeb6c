import { z } from 'zod';
import { patternFault } from '../../../../config/linear-pattern.ts';
import { originFault, takesEveryone, type OriginRule } from '../../../../policies/cors/origin-rules.ts';
import type { Source } from '../../source.ts';
import { texts, type Plugin, type Translation } from '../plugin.ts';

const PLAIN = /^[A-Za-z0-9.:/-]+$/;

/** Origins, methods and fields as they are; what a page may not have there it does not get here. */
export function translateCors({ config, source }: Plugin): Translation {
  config.skipDefaults({ preflight_continue: false, allow_origin_absent: true });
  const listed = config.get('origins', texts);
  const rules =
    listed === undefined || listed.length === 0
      ? ['*' as OriginRule]
      : listed.flatMap((text, index) => ruleOf(text, index, config));
  if (rules.length === 0) return {};
  const isForAll = takesEveryone(rules);
  const wantsCredentials = config.get('credentials', z.boolean()) === true;
  if (isForAll && wantsCredentials)
    source.note(
      'differs',
      'no credentials: they never go with every origin; list the origins under `cors`',
      'config',
    );
  const methods = listOf(config, 'methods');
  const headers = listOf(config, 'headers');
  const exposedHeaders = listOf(config, 'exposed_headers');
  const maxAge = config.get('max_age', z.number());
  const cors = {
    origins: rules.includes('*') ? '*' : rules,
    ...(wantsCredentials && !isForAll ? { credentials: true } : {}),
    ...(methods === undefined ? {} : { methods }),
    ...(headers === undefined ? {} : { headers }),
    ...(exposedHeaders === undefined ? {} : { exposedHeaders }),
    ...(maxAge === undefined ? {} : { maxAge: `${Math.round(maxAge)}s` }),
    ...(config.get('private_network', z.boolean()) === true ? { privateNetwork: true } : {}),
  };
  return { policies: { cors } };
}

// Without a list all that a page asks for is granted, which is what a star says.
function listOf(config: Source, key: string): string[] | undefined {
  const listed = config.get(key, texts) ?? [];
  if (key === 'exposed_headers' && listed.includes('*'))
    config.note('left', 'fields that pages may read are listed by name', key);
  return listed.length === 0 || listed.includes('*') ? undefined : listed;
}

function ruleOf(text: string, index: number, config: Source): OriginRule[] {
  if (text === '*') return ['*'];
  if (PLAIN.test(text)) {
    const origin = URL.parse(text)?.origin;
    if (origin !== undefined && origin !== 'null' && originFault(origin) === undefined) return [origin];
    config.notes.add(
      'left',
      [...config.path, 'origins', index],
      'an origin has scheme and host, as browsers write it',
    );
    return [];
  }
  const regex = text.replace(/^\^/, '').replace(/\$$/, '');
  if (text.includes(':') && patternFault(regex) === undefined) return [{ regex }];
  config.notes.add(
    'left',
    [...config.path, 'origins', index],
    'expected an expression of RE2 for the whole origin, its scheme included',
  );
  return [];
}
