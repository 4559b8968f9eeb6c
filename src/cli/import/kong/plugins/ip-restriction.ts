import { addressBlockText } from '../../../../config/address-block.ts';
import { texts, type Plugin, type Translation } from '../plugin.ts';

/** Addresses that are let in and kept out; one that cannot be read keeps the route closed. */
export function translateIpRestriction({ config, source }: Plugin): Translation {
  config.skipDefaults({ status: 403 });
  const allow = [...(config.get('allow', texts) ?? []), ...(config.get('whitelist', texts) ?? [])];
  const deny = [...(config.get('deny', texts) ?? []), ...(config.get('blacklist', texts) ?? [])];
  if (![...allow, ...deny].every((block) => addressBlockText.safeParse(block).success)) {
    source.note('closed', 'expected addresses and CIDR blocks');
    return { closed: 'ip-restriction has an address that cannot be read' };
  }
  if (allow.length + deny.length === 0) return {};
  source.note(
    'todo',
    'name the load balancers in front of the gateway in `trustedProxies`, as trusted_ips of kong.conf does',
  );
  const ipAccess = { ...(allow.length > 0 ? { allow } : {}), ...(deny.length > 0 ? { deny } : {}) };
  return { policies: { ipAccess } };
}
